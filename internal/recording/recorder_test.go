package recording

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/core"
)

// A disk is a file in memory.
type disk struct {
	mu   sync.Mutex
	text []byte
	room int           // what it takes until it is full; 0: any
	slow chan struct{} // nil: it is quick
}

var errFullDisk = errors.New("no space left on device")

func (d *disk) Write(b []byte) (int, error) {
	if d.slow != nil {
		<-d.slow
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.room > 0 && len(d.text)+len(b) > d.room {
		n := max(d.room-len(d.text), 0)
		d.text = append(d.text, b[:n]...)
		return n, errFullDisk
	}
	d.text = append(d.text, b...)
	return len(b), nil
}

func (d *disk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text, d.room = d.text[:size], 0 // what is made room for is enough for the end
	return nil
}

func (d *disk) Close() error { return nil }

// An ending is what a recorder says when it ends by itself.
type ending struct {
	why string
	err error
}

// record has a recorder record so many calls, and returns what it said of its end.
func record(t *testing.T, d *disk, o Options, calls int) ending {
	t.Helper()
	said := make(chan ending, 1)
	o.Ended = func(why string, err error) { said <- ending{why, err} }
	slow := d.slow
	d.slow = nil
	r, err := begin(d, o)
	if err != nil {
		t.Fatal(err)
	}
	d.slow = slow
	for i := range calls {
		r.heard(1, core.Cancel{Call: uint64(i)})
	}
	if slow != nil {
		close(slow)
	}
	r.Close()
	select {
	case e := <-said:
		return e
	default:
		return ending{}
	}
}

// TestRecordingEnds: whatever ends a recording, it says so and can be played to there.
func TestRecordingEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		disk *disk
		opts Options
		want end
		err  error
	}{
		{"stopped", &disk{}, Options{}, endStopped, nil},
		{"full", &disk{}, Options{Limit: 2000}, endFull, nil},
		{"behind", &disk{slow: make(chan struct{})}, Options{Backlog: 1000}, endBehind, nil},
		{"no space", &disk{room: 1000}, Options{}, endFailed, errFullDisk},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := record(t, c.disk, c.opts, 200)
			if c.want == endStopped && e != (ending{}) || c.want != endStopped && (e.why != c.want.String() || !errors.Is(e.err, c.err)) {
				t.Errorf("said %q, %v", e.why, e.err)
			}
			if c.opts.Limit > 0 && int64(len(c.disk.text)) > c.opts.Limit {
				t.Errorf("it has %d bytes", len(c.disk.text))
			}
			var out bytes.Buffer
			got, err := Replay(bytes.NewReader(c.disk.text), &out)
			if err != nil || got.Differences != 0 || !strings.HasSuffix(out.String(), "the recording ends: "+c.want.String()+"\n") {
				t.Errorf("replay: %v, %v\n%s", got, err, out.String())
			}
			if n := strings.Count(out.String(), "cancel call"); n == 0 || n == 200 != (c.want == endStopped) {
				t.Errorf("%d of 200 inputs are there", n)
			}
		})
	}
}

// TestCreate: a recording is its owner's, and never written over another file.
func TestCreate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "recording")
	r, err := Create(file, Options{Program: "test", Began: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if s, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && s.Mode() != 0o600 {
		t.Errorf("%v, %v", s.Mode(), err)
	}
	if _, err := Create(file, Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Skip(err)
	}
	if _, err := Create(link, Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("by a link: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "no", "folder"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := begin(&disk{room: 1}, Options{}); !errors.Is(err, errFullDisk) {
		t.Errorf("on a full disk: %v", err)
	}
}

// TestRecordingOfAReplay records a core whose ports are those of a replay: it is the
// recording that is replayed.
func TestRecordingOfAReplay(t *testing.T) {
	t.Parallel()
	for name, text := range recordings(t) {
		d := &disk{}
		r, err := begin(d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := newPlayer(io.Discard)
		p.core = core.New(r.Wrap((&ports{carrier: p}).config()))
		if err := p.play(newReader(bytes.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		r.Close()
		_, got, _ := bytes.Cut(d.text, []byte("\n"))
		_, want, _ := bytes.Cut(text, []byte("\n"))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the recording of its replay is\n%s", name, got)
		}
	}
}

// BenchmarkRecord is what a recording costs per input.
func BenchmarkRecord(b *testing.B) {
	r, err := begin(nowhere{}, Options{Limit: 1 << 60})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	in := core.Datagram{ID: core.ID{Index: 2}}
	in.What.Message = make([]byte, 300)
	for b.Loop() {
		r.heard(1, in)
	}
}

// nowhere is a disk that keeps nothing.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Truncate(int64) error        { return nil }
func (nowhere) Close() error                { return nil }
