//go:build linux

package lessee_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func tempSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lessee") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "sock")
}

// stub serves h as if it were the daemon.
func stub(t *testing.T, h http.HandlerFunc) *lessee.Client {
	t.Helper()
	path := tempSocket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return lessee.New(lessee.WithSocket(path))
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		e    lessee.Error
		want string
	}{
		{
			lessee.Error{
				Op: "renew", Adapter: "eth0", Code: errno.ERROR_SEM_TIMEOUT,
				Cause: reason.Cause{Reason: reason.NoServer, Timeout: lessee.Duration(20 * time.Second), Infinite: true},
			},
			"eth0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid",
		},
		{lessee.Error{Op: "list", Code: errno.ERROR_PROC_NOT_FOUND}, "list: the DHCP client service could not be asked (ERROR_PROC_NOT_FOUND 127)"},
		{lessee.Error{Code: 4242}, "system error 4242 (4242)"},
	} {
		if got := tc.e.Error(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// The reason and its fields travel, with the English words beside them.
func TestErrorJSON(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 1, 2, 14, 2, 3, 0, time.UTC)
	e := &lessee.Error{Op: "renew", Adapter: "eth0", Code: errno.ERROR_SEM_TIMEOUT, Err: io.EOF, Cause: reason.Cause{
		Reason: reason.NoServer, Timeout: lessee.Duration(20 * time.Second), Expires: until,
	}}
	data, err := json.Marshal(e)
	want := `{"code":121,"name":"ERROR_SEM_TIMEOUT","op":"renew","adapter":"eth0","reason":"no-server","timeout":"20s",` +
		`"expires":"2026-01-02T14:02:03Z","detail":"no DHCP server answered in 20s","hint":"the lease stays valid until ` +
		until.Local().Format(time.TimeOnly) + `"}`
	if err != nil || string(data) != want {
		t.Errorf("got %s, %v; want %s", data, err, want)
	}
	var back lessee.Error
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(&back); err != nil || string(again) != want {
		t.Errorf("came back as %s, %v", again, err)
	}
	if lessee.Reason(fmt.Errorf("around: %w", &back)) != reason.NoServer || lessee.Reason(io.EOF) != reason.None {
		t.Error("the reason is not found")
	}
}

// A daemon of another version may give a reason that is not known here, or not
// the fields that it needs: then its own words are shown.
func TestErrorOfAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"code":121,"op":"renew","adapter":"eth0","reason":"of-the-future","colour":"red","detail":"the daemon's words","hint":"try harder"}`,
		`{"code":121,"op":"renew","adapter":"eth0","reason":"no-server","detail":"the daemon's words","hint":"try harder"}`,
		`{"code":121,"op":"renew","adapter":"eth0","detail":"the daemon's words","hint":"try harder"}`,
	} {
		var e lessee.Error
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		if got, want := e.Error(), "eth0: renew: the daemon's words (ERROR_SEM_TIMEOUT 121); try harder"; got != want {
			t.Errorf("%s: %q", data, got)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	inner := &lessee.Error{Code: errno.ERROR_NO_NETWORK, Err: io.EOF}
	for _, tc := range []struct {
		err  error
		want errno.Errno
	}{
		{nil, errno.NO_ERROR},
		{inner, errno.ERROR_NO_NETWORK},
		{fmt.Errorf("wrapped: %w", inner), errno.ERROR_NO_NETWORK},
		{fmt.Errorf("wrapped: %w", errno.ERROR_NO_DATA), errno.ERROR_NO_DATA},
		{io.EOF, errno.ERROR_PROC_NOT_FOUND},
	} {
		if got := lessee.Code(tc.err); got != tc.want {
			t.Errorf("Code(%v) = %s, want %s", tc.err, got.Name(), tc.want.Name())
		}
	}
	if !errors.Is(inner, io.EOF) || !errors.Is(inner, errno.ERROR_NO_NETWORK) || errors.Is(inner, errno.ERROR_NO_DATA) {
		t.Error("errors.Is does not see through the error")
	}
}

func TestWithoutDaemon(t *testing.T) {
	t.Parallel()
	stale := tempSocket(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for _, tc := range []struct {
		name, socket, adapter string
		code                  errno.Errno
		want                  []string
	}{
		{"no socket", tempSocket(t), "eth0", errno.ERROR_PROC_NOT_FOUND, []string{"not running", "/sock", "lessee daemon eth0"}},
		{"nobody listens", stale, "eth0", errno.ERROR_PROC_NOT_FOUND, []string{"not running", stale, "lessee daemon eth0"}},
		{"path too long", "/" + strings.Repeat("x", 107), "eth0", errno.ERROR_INVALID_PARAMETER, []string{"108 bytes", "at most 107"}},
		{"abstract socket", "@lessee", "eth0", errno.ERROR_INVALID_PARAMETER, []string{"not a file's"}},
		{"no name", stale, "", errno.ERROR_INVALID_PARAMETER, []string{"name is empty"}},
		{"a path for a name", stale, "../eth0", errno.ERROR_FILE_NOT_FOUND, []string{"lessee list"}},
		{"dots for a name", stale, "..", errno.ERROR_FILE_NOT_FOUND, []string{"lessee list"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := lessee.New(lessee.WithSocket(tc.socket))
			for op, err := range map[string]error{
				"renew": c.Renew(t.Context(), tc.adapter),
				"down":  c.Down(t.Context(), tc.adapter, false),
			} {
				e, ok := errors.AsType[*lessee.Error](err)
				if !ok || e.Code != tc.code || e.Op != op || e.Adapter != tc.adapter {
					t.Fatalf("%s: got %v (%+v), want %s", op, err, e, tc.code.Name())
				}
				for _, w := range tc.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%s: %q lacks %q", op, err, w)
					}
				}
			}
		})
	}
	c := lessee.New(lessee.WithSocket(stale))
	if _, err := c.Watch(t.Context(), ""); !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), "lessee daemon ADAPTER") {
		t.Errorf("Watch: %v", err)
	}
	for _, err := range c.Events(t.Context()) {
		if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) {
			t.Errorf("Events: %v", err)
		}
	}
}

func TestSocketFromEnvironment(t *testing.T) {
	t.Setenv(lessee.SocketEnv, "")
	if got := lessee.New().Socket(); got != lessee.DefaultSocket {
		t.Errorf("without the variable: %s", got)
	}
	t.Setenv(lessee.SocketEnv, "/run/other.sock")
	if got := lessee.New().Socket(); got != "/run/other.sock" {
		t.Errorf("with the variable: %s", got)
	}
	if got := lessee.New(lessee.WithSocket("/run/third.sock"), lessee.WithSocket("")).Socket(); got != "/run/third.sock" {
		t.Errorf("with an option: %s", got)
	}
}

// TestTimeoutSent: the context's deadline is what the daemon is told.
func TestTimeoutSent(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1)
	c := stub(t, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		bodies <- string(data)
		w.WriteHeader(http.StatusNoContent)
	})
	for want, timeout := range map[string]time.Duration{
		`{"timeout":"1m30s"}`: 90 * time.Second, `{"timeout":"20s"}`: 0, `{"timeout":"24h0m0s"}`: 1000 * time.Hour,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if timeout > 0 {
			ctx, cancel = context.WithTimeout(t.Context(), timeout)
		}
		if err := c.Renew(ctx, "eth0"); err != nil {
			t.Error(err)
		}
		cancel()
		var got, wanted struct{ Timeout string }
		if err := errors.Join(json.Unmarshal([]byte(<-bodies), &got), json.Unmarshal([]byte(want), &wanted)); err != nil {
			t.Fatal(err)
		}
		a, err1 := time.ParseDuration(got.Timeout)
		b, err2 := time.ParseDuration(wanted.Timeout)
		if err1 != nil || err2 != nil || a > b || a < b-5*time.Second {
			t.Errorf("sent %q, want %q or a little less", got.Timeout, wanted.Timeout)
		}
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 8)
	c := stub(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	if err := c.Renew(soon(), "eth0"); !errors.Is(err, errno.ERROR_SEM_TIMEOUT) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Renew, deadline: %v", err)
	}
	if _, err := c.Adapters(soon()); !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Adapters, deadline: %v", err)
	}
	for len(arrived) > 0 {
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := c.Release(ctx, "eth0"); !errors.Is(err, errno.ERROR_CANCELLED) || !errors.Is(err, context.Canceled) {
		t.Errorf("Release, cancelled: %v", err)
	}
	for op, err := range map[string]error{"renew": c.Renew(ctx, "eth0"), "up": c.Up(ctx, "eth0")} {
		if !errors.Is(err, errno.ERROR_CANCELLED) {
			t.Errorf("%s, cancelled before: %v", op, err)
		}
	}
	if _, err := c.Watch(ctx, ""); !errors.Is(err, errno.ERROR_CANCELLED) {
		t.Errorf("Watch, cancelled before: %v", err)
	}
}

func TestNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
	}{
		{"not JSON", "text/html", "<html>", 200},
		{"no JSON though it says so", "application/json", "<html>", 200},
		{"the wrong JSON", "application/json", `{"index":"two"}`, 200},
		{"a wrong address", "application/json", `{"ipv4":{"address":"10.0.0.0/99"}}`, 200},
		{"an error of another server", "text/plain", "bad gateway", 502},
		{"an error without a code", "application/json", `{"detail":"x"}`, 500},
		{"a redirect", "text/plain", "", 302},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := stub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.contentType)
				w.Header().Set("Location", "http://elsewhere/")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			_, err := c.Adapter(t.Context(), "eth0")
			if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), "not understood") {
				t.Errorf("Adapter: %v", err)
			}
			_, err = c.Watch(t.Context(), "")
			if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), "not understood") {
				t.Errorf("Watch: %v", err)
			}
		})
	}
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, body, want string }{
		{"the daemon ends it", "\n{\"kind\":\"bound\",\"adapter\":\"eth0\"}\n", "broke"},
		{"a line that is not JSON", "\n{\"kind\":\"bound\",\"adapter\":\"eth0\"}\noops\n", "not understood"},
		{"a line without end", "{\"kind\":\"bound\",\"adapter\":\"eth0\"}\n" + strings.Repeat("x", 2<<20), "not understood"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := stub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-ndjson")
				_, _ = io.WriteString(w, tc.body)
			})
			s, err := c.Watch(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if ev, err := s.Next(); err != nil || ev.Kind != lessee.EventBound || ev.Adapter != "eth0" {
				t.Fatalf("got %+v, %v", ev, err)
			}
			_, err = s.Next()
			if !errors.Is(err, errno.ERROR_PROC_NOT_FOUND) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if _, again := s.Next(); again != err { //nolint:errorlint // It is to be the same.
				t.Errorf("then %v", again)
			}
		})
	}
}
