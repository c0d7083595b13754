package daemon

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMissing(t *testing.T) {
	t.Parallel()
	const admin, raw = 1 << unix.CAP_NET_ADMIN, 1 << unix.CAP_NET_RAW
	for _, c := range []struct {
		effective uint64
		want      string
	}{
		{0, "it lacks CAP_NET_ADMIN, CAP_NET_RAW; run it as root"},
		{admin, "it lacks CAP_NET_RAW; run it as root"},
		{raw | 1<<unix.CAP_SYS_ADMIN, "it lacks CAP_NET_ADMIN; run it as root"},
		{admin | raw, ""},
		{^uint64(0), ""},
	} {
		err := missing(c.effective)
		if c.want == "" {
			if err != nil {
				t.Errorf("%#x: %v", c.effective, err)
			}
			continue
		}
		if err == nil || !errors.Is(err, fs.ErrPermission) ||
			err.Error() != "the daemon may not configure adapters: "+c.want+", or by the systemd unit" {
			t.Errorf("%#x: %v, want %q", c.effective, err, c.want)
		}
	}
}

// TestRunWithoutPermission: a daemon that may not do its work does not start, and
// leaves nothing behind.
func TestRunWithoutPermission(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := Options{SocketPath: filepath.Join(dir, "sock"), StateDir: filepath.Join(dir, "state"), Log: io.Discard}
	o.ConfigPath = filepath.Join(dir, "none.toml")
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: capabilities are a thread's, and this one loses its own
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			done <- err
			return
		}
		done <- Run(t.Context(), o)
	}()
	err := <-done
	if _, ok := errors.AsType[*PermissionError](err); !ok {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
