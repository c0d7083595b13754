package daemon

import (
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// TestAnnounce: the service manager hears that the daemon is ready, that it is
// alive as long as the engine answers, and that it stops.
func TestAnnounce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt((20*time.Millisecond).Microseconds(), 10))
	t.Setenv("WATCHDOG_PID", "")
	hear := func() string {
		t.Helper()
		buf := make([]byte, 256)
		if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}

	var asked atomic.Int32
	stuck := make(chan struct{})
	stop := announce(t.Context(), func() bool {
		if asked.Add(1) <= 2 {
			return true
		}
		<-stuck
		return false
	}, slog.New(slog.DiscardHandler))
	for i, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := hear(); got != want {
			t.Errorf("message %d is %q, want %q", i, got, want)
		}
	}
	// The engine does not answer any more: nor does the watchdog hear anything.
	close(stuck)
	stop()
	if got := hear(); got != "STOPPING=1" {
		t.Errorf("at last %q, want STOPPING=1", got)
	}
}

// TestAnnounceToNobody: without a service manager nothing happens.
func TestAnnounceToNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	announce(t.Context(), func() bool { t.Error("asked for nobody"); return true }, slog.New(slog.DiscardHandler))()
}
