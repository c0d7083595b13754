//go:build linux

package leases

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/tenancy/v4"
	"golang.org/x/sys/unix"
)

// TestDirectory: what a folder's files are made with says what went wrong, and leads
// nowhere else.
func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, none := directory{dir}, directory{filepath.Join(dir, "none")}
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("most"), make([]byte, maxFile), 0o600),
		os.WriteFile(path("more"), make([]byte, maxFile+1), 0o600),
		os.Mkdir(path("folder"), 0o755),
		unix.Mkfifo(path("fifo"), 0o644),
		os.Symlink(path("most"), path("link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{
		"most": nil, "more": errTooLong, "folder": fs.ErrInvalid, "fifo": fs.ErrInvalid, "link": unix.ELOOP, "nothing": fs.ErrNotExist,
	} {
		if b, err := d.Read(name); !errors.Is(err, want) || want == nil && len(b) != maxFile {
			t.Errorf("read %s: %d bytes, %v", name, len(b), err)
		}
	}
	for what, err := range map[string]error{
		"create beside nothing": none.Create("a", nil, false),
		"flush nothing":         none.Sync(),
		"remove nothing":        d.Remove("nothing"),
		"rename nothing":        d.Rename("nothing", "new"),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if names, err := none.List(); !errors.Is(err, fs.ErrNotExist) || names != nil {
		t.Errorf("list nothing: %q, %v", names, err)
	}
	for what, c := range map[string]struct {
		err  error
		want error
		name string
	}{
		"create over a link": {d.Create("link", []byte("x"), false), unix.ELOOP, "link"},
		"create on a folder": {d.Create("folder", nil, false), unix.EISDIR, "folder"},
		"rename on a folder": {d.Rename("most", "folder"), unix.EISDIR, "folder"},
		"rename nothing":     {d.Rename("nothing", "new"), unix.ENOENT, "nothing"},
	} {
		e, ok := errors.AsType[*fs.PathError](c.err)
		if !errors.Is(c.err, c.want) || !ok || e.Path != c.name {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	for _, text := range []string{"a longer text", "short"} { // what was there goes
		if err := errors.Join(d.Create("new", []byte(text), true), d.Sync()); err != nil {
			t.Error(err)
		}
		if b, err := d.Read("new"); string(b) != text || err != nil {
			t.Errorf("read %q, %v, want %q", b, err, text)
		}
	}
	if st, err := os.Stat(path("new")); err != nil || st.Mode() != filePerm {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

// TestDescriptors: no call leaves a descriptor open, whether it succeeds or fails.
func TestDescriptors(t *testing.T) { //nolint:paralleltest // it counts those of the process
	dir := t.TempDir()
	d := directory{dir}
	count := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "folder"), 0o755), os.WriteFile(filepath.Join(dir, "more"), make([]byte, maxFile+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := count()
	var kept []func() // nothing that is open is collected meanwhile
	for range 20 {
		_ = d.Create("a", []byte("text"), true)
		_ = d.Create("folder", nil, true)
		for _, name := range []string{"a", "folder", "more", "nothing"} {
			b, _ := d.Read(name)
			kept = append(kept, func() { _ = b })
		}
		_ = d.Sync()
		_, _ = d.List()
	}
	if after := count(); after > before+2 {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	_ = kept
}

// TestOpenWithoutClock: the clocks of the system are taken, with which a record is read
// back as it was.
func TestOpenWithoutClock(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Run: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := full(SystemClock().Boot() - 1)
	if err := s.Save("eth0", r); err != nil {
		t.Fatal(err)
	}
	if back := load(t, s, "eth0"); back.BaseMTU != r.BaseMTU || back.Lease.Start != r.Lease.Start {
		t.Errorf("read %+v", back)
	}
}

// TestOpenIsLogged: a folder that cannot be used is logged.
func TestOpenIsLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := Options{Run: filepath.Join(dir, "run"), State: filepath.Join(dir, "file", "state"), Log: slog.New(slog.NewTextHandler(&log, nil))}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if text := log.String(); !strings.Contains(text, "a folder for leases cannot be used") || !strings.Contains(text, o.State) {
		t.Errorf("logged %q", text)
	}
	if err := s.Save("eth0", v4.Record{BaseMTU: 1400}); err != nil {
		t.Error(err)
	}
	if err := s.Persist("eth0"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("persist: %v", err)
	}
	if !slices.Equal(s.Pending(), []string{"eth0"}) {
		t.Errorf("pending %q", s.Pending())
	}
}

// TestSetAsideFails: a record that is none and cannot be renamed is reported with both
// reasons.
func TestSetAsideFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &unlisted{directory{dir}}
	if err := d.Create("eth0.json", []byte("nothing"), false); err != nil {
		t.Fatal(err)
	}
	s := OpenOn(d, nil, newMachine().clock())
	if _, ok, err := s.Load("eth0"); ok || err == nil || !strings.Contains(err.Error(), "it could not be set aside: "+errUnlisted.Error()) {
		t.Errorf("%v, %v", ok, err)
	}
}

// An unlisted disk does not say which files it has.
type unlisted struct{ directory }

var errUnlisted = errors.New("there is no list")

func (unlisted) List() ([]string, error) { return nil, errUnlisted }
