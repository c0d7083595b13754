//go:build linux

package resolver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/lessee/lessee/internal/linux/clock"
	"golang.org/x/sys/unix"
)

// header is the first line of a file of ours.
const header = "# Written by lessee."

// What a resolver reads of the file: glibc's MAXNS, and the limits on the
// search list that older resolvers have.
const (
	maxServers     = 3
	maxSearch      = 6
	maxSearchBytes = 255
)

// A resolvFile writes resolv.conf. The file from before is kept until no
// adapter has a setting any more.
type resolvFile struct {
	path, backup, statePath string
	log                     *slog.Logger
	changed                 func(path string, by Writer)

	mu    sync.Mutex
	state fileState
	watch *fileWatch // while a setting of ours is in the file
	// writer is who was reported last.
	writer Writer
}

// fileState is kept across restarts of the daemon, within one boot as far as
// the adapters are concerned.
type fileState struct {
	// Before says what was there before us: "file", "symlink", "nothing", or ""
	// while nothing of ours is there.
	Before string      `json:"before,omitempty"`
	Target string      `json:"target,omitempty"` // of the symbolic link
	Mode   fs.FileMode `json:"mode,omitempty"`   // of the file
	// Written is the SHA-256 of what we wrote last, Previous of what was ours
	// before that: a daemon that died in between left that.
	Written  string `json:"written,omitempty"`
	Previous string `json:"previous,omitempty"`
	// Options are the lines of the file from before that still hold.
	Options []string  `json:"options,omitempty"`
	Servers []string  `json:"servers,omitempty"` // its name servers, for leases without any
	BootID  string    `json:"boot_id,omitempty"`
	Set     []setting `json:"set,omitempty"`
}

const (
	beforeFile    = "file"
	beforeSymlink = "symlink"
	beforeNothing = "nothing"
)

func newResolvFile(opt Options) (*resolvFile, error) {
	f := &resolvFile{path: opt.Path, backup: opt.Path + ".lessee-backup", statePath: opt.Path + ".lessee-state", log: opt.Log, changed: opt.Changed}
	if opt.StateDir != "" {
		f.backup = filepath.Join(opt.StateDir, "resolv.conf.backup")
		f.statePath = filepath.Join(opt.StateDir, "resolv.conf.state")
	}
	b, err := os.ReadFile(f.statePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(b, &f.state); err != nil {
			f.log.Warn("the state of resolv.conf is not understood and begun anew", "file", f.statePath, "error", err)
			f.state = fileState{}
		}
	}
	id, err := clock.BootID()
	if err != nil {
		return nil, err
	}
	if f.state.BootID != id {
		f.state.Set = nil // leases of an earlier boot
	}
	f.state.BootID = id
	return f, nil
}

func (f *resolvFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unwatch()
	return nil
}

func (f *resolvFile) apply(changed setting, all []setting) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := merge(f.state.Set, all, changed)
	if len(set) == 0 {
		f.unwatch()
		f.report(Us) // nothing of ours is in it to be changed
		return f.restore()
	}
	if err := f.keep(); err != nil {
		return fmt.Errorf("keep %s: %w", f.path, err)
	}
	f.state.Set = set
	text := f.compose(set)
	if d := digest(text); d != f.state.Written {
		f.state.Previous, f.state.Written = f.state.Written, d
	}
	// The state first: what is in the file is then known whenever we die.
	if err := f.saveState(); err != nil {
		return err
	}
	if err := f.write(text, 0o644); err != nil {
		return err
	}
	f.beginWatch()
	f.report(Us)
	return nil
}

// report says who wrote what is in the file, where that has changed.
func (f *resolvFile) report(by Writer) {
	if f.changed != nil && f.writer != by {
		f.writer = by
		f.changed(f.path, by)
	}
}

// beginWatch watches the file, if that is wanted and can be done.
func (f *resolvFile) beginWatch() {
	if f.changed == nil || f.watch != nil {
		return
	}
	w, err := watchFile(f.path, f.look)
	if err != nil {
		f.log.Warn("changes of resolv.conf by others will not be noticed", "file", f.path, "error", err)
		return
	}
	f.watch = w
}

func (f *resolvFile) unwatch() {
	if f.watch != nil {
		f.watch.close()
		f.watch = nil
	}
}

// look reports whose the file is after a change.
func (f *resolvFile) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watch == nil {
		return
	}
	by := Us
	if text, err := os.ReadFile(f.path); err != nil || digest(string(text)) != f.state.Written {
		by = Others
	}
	f.report(by)
}

// merge adds to all what an earlier daemon set for adapters that this one has
// not heard of yet.
func merge(earlier, all []setting, changed setting) []setting {
	set := append([]setting(nil), all...)
	for _, e := range earlier {
		known := e.Index == changed.Index
		for _, a := range all {
			known = known || a.Index == e.Index
		}
		if !known && !e.empty() {
			set = append(set, e)
		}
	}
	return set
}

// keep backs up what is there, unless it is ours.
func (f *resolvFile) keep() error {
	st, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if f.state.Before == "" {
			f.state.Before = beforeNothing
		}
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(f.path)
	if err == nil && strings.HasPrefix(string(text), header) && st.Mode().IsRegular() {
		if f.state.Before == "" {
			f.state.Before = beforeNothing // what there was is not known any more
		}
		return nil
	}
	f.state.Target, f.state.Mode, f.state.Options, f.state.Servers = "", 0, nil, nil
	if err == nil {
		f.state.Options, f.state.Servers = lines(string(text), "options", "sortlist"), lines(string(text), "nameserver")
	}
	if st.Mode()&fs.ModeSymlink != 0 {
		f.state.Before = beforeSymlink
		f.state.Target, err = os.Readlink(f.path)
		return err
	}
	if err != nil {
		return err
	}
	f.state.Before, f.state.Mode = beforeFile, st.Mode().Perm()
	return writeFile(f.backup, text, st.Mode().Perm())
}

// restore puts back what was there before us, if nobody has changed the file
// since we wrote it.
func (f *resolvFile) restore() error {
	before := f.state
	forget := func() error {
		f.state = fileState{BootID: before.BootID}
		if err := os.Remove(f.statePath); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if before.Before == "" {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if d := digest(string(text)); err != nil || d != before.Written && d != before.Previous {
		f.log.Info("resolv.conf was changed by somebody else and stays as it is", "file", f.path)
		return forget()
	}
	switch before.Before {
	case beforeFile:
		b, err := os.ReadFile(f.backup)
		if err != nil {
			return err
		}
		if err := f.write(string(b), before.Mode); err != nil {
			return err
		}
		if err := os.Remove(f.backup); err != nil {
			return err
		}
	case beforeSymlink:
		// A new link beside it, then over it: there is always one.
		tmp := f.path + ".lessee-new"
		_ = os.Remove(tmp)
		if err := os.Symlink(before.Target, tmp); err != nil {
			return err
		}
		if err := os.Rename(tmp, f.path); err != nil {
			return err
		}
	default:
		if err := os.Remove(f.path); errors.Is(err, unix.EBUSY) {
			err = f.write("", 0o644) // mounted there: empty is the nearest to none
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return forget()
}

// compose makes the file's text.
func (f *resolvFile) compose(set []setting) string {
	var b strings.Builder
	b.WriteString(header + " What was here before comes back when the last lease ends.\n")
	text := settingLines(set, maxServers)
	if !strings.Contains(text, "nameserver ") {
		for _, l := range f.state.Servers {
			b.WriteString(l + "\n")
		}
	}
	b.WriteString(text)
	for _, l := range f.state.Options {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// settingLines joins the settings, the first adapter's first.
func settingLines(set []setting, most int) string {
	var b strings.Builder
	seen := map[string]bool{}
	n, size := 0, 0
	var search []string
	for _, s := range set {
		for _, a := range s.Servers {
			if line := "nameserver " + a.String() + "\n"; !seen[line] && n < most {
				seen[line] = true
				n++
				b.WriteString(line)
			}
		}
		for _, name := range s.Search {
			d := name.String()
			if !seen[d] && len(search) < maxSearch && size+len(d)+1 <= maxSearchBytes {
				seen[d] = true
				size += len(d) + 1
				search = append(search, d)
			}
		}
	}
	if len(search) > 0 {
		b.WriteString("search " + strings.Join(search, " ") + "\n")
	}
	return b.String()
}

// lines returns the lines of text that begin with one of the keywords.
func lines(text string, keywords ...string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 {
			for _, k := range keywords {
				if f[0] == k {
					list = append(list, strings.Join(f, " "))
				}
			}
		}
	}
	return list
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (f *resolvFile) saveState() error {
	b, err := json.MarshalIndent(f.state, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(f.statePath, append(b, '\n'), 0o644)
}

// write makes text the file's contents, unless it is already.
func (f *resolvFile) write(text string, mode fs.FileMode) error {
	if st, err := os.Lstat(f.path); err == nil && st.Mode().IsRegular() {
		if now, err := os.ReadFile(f.path); err == nil && string(now) == text {
			return nil
		}
	}
	err := writeFile(f.path, []byte(text), mode)
	if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EXDEV) {
		return err
	}
	// A file that is mounted there cannot be replaced. First the new text, then
	// the new end: no reader finds it empty.
	w, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return w.Truncate(int64(len(text)))
}
