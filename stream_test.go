package lessee

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/errno"
)

// piped makes c dial serve, in memory, so that a test may have a virtual clock.
func piped(c *Client, serve func(net.Conn)) {
	c.http.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serve(theirs)
		return ours, nil
	}
}

// TestSilentDaemon: a daemon that keeps the connection and says nothing, not
// even a blank line, is given up after a minute, however long the reader itself
// took before.
func TestSilentDaemon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(WithSocket("/run/x"))
		piped(c, func(conn net.Conn) {
			defer conn.Close()
			in := bufio.NewReader(conn)
			if _, err := http.ReadRequest(in); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n\n")
			time.Sleep(silence - time.Second)
			_, _ = io.WriteString(conn, "\n")
			time.Sleep(silence - time.Second)
			_, _ = io.WriteString(conn, "{\"kind\":\"bound\"}\n")
			_, _ = in.ReadByte() // until the client has gone
		})
		s, err := c.Watch(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if ev, err := s.Next(); err != nil || ev.Kind != EventBound {
			t.Fatalf("got %+v, %v", ev, err)
		}
		time.Sleep(10 * silence) // the reader is busy: not the daemon's fault
		began := time.Now()
		_, err = s.Next()
		if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || time.Since(began) != silence {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// TestUnconfirmedWatch: a subscription that is not confirmed fails after the
// usual patience.
func TestUnconfirmedWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(WithSocket("/run/x"))
		piped(c, func(conn net.Conn) {
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn)
		})
		began := time.Now()
		_, err := c.Watch(t.Context(), "")
		if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || time.Since(began) != DefaultTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
