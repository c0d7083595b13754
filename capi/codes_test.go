//go:build linux && cgo

package main_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/control"
)

// engine answers what the name of the adapter says: e1228 gets code 1228.
type engine struct {
	control.Engine // what is not here is not called
	mu             sync.Mutex
	calls          []string
}

func (e *engine) run(op, name string) error {
	e.mu.Lock()
	e.calls = append(e.calls, op+" "+name)
	e.mu.Unlock()
	code, err := strconv.ParseUint(strings.TrimPrefix(name, "e"), 10, 32)
	if err != nil || code == 0 {
		return err
	}
	return &lessee.Error{Code: errno.Errno(code)}
}

func (e *engine) Renew(_ context.Context, name string) error   { return e.run("renew", name) }
func (e *engine) Release(_ context.Context, name string) error { return e.run("release", name) }

// TestCodes: a C program gets each code that the service answers with.
func TestCodes(t *testing.T) {
	t.Parallel()
	program := compile(t, "gcc", strict, "testdata/call.c")
	s := space(t)
	socket := s.Path("lessee.sock")
	l, err := control.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{}
	server := control.NewServer(e, control.Options{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.Background()), <-done); err != nil {
			t.Error(err)
		}
	})
	for _, code := range []errno.Errno{
		errno.NO_ERROR, errno.ERROR_FILE_NOT_FOUND, errno.ERROR_ACCESS_DENIED, errno.ERROR_GEN_FAILURE, errno.ERROR_NOT_SUPPORTED,
		errno.ERROR_SEM_TIMEOUT, errno.ERROR_PROC_NOT_FOUND, errno.ERROR_BUSY, errno.ERROR_NO_NETWORK, errno.ERROR_CANCELLED,
		errno.ERROR_ADDRESS_NOT_ASSOCIATED, errno.ERROR_DHCP_ADDRESS_CONFLICT,
	} {
		n := strconv.FormatUint(uint64(code), 10)
		r := s.Result(t, environment(s.Command(t, program, "e"+n, "rn"), "LESSEE_SOCKET="+socket))
		if got, want := codes(r), "r"+n+" n"+n; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.calls) != 24 || e.calls[0] != "release e0" || e.calls[1] != "renew e0" {
		t.Errorf("asked: %q", e.calls)
	}
}
