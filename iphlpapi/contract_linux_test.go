package iphlpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/control"
	"github.com/lessee/lessee/reason"
)

func TestMain(m *testing.M) {
	// Error texts are in the language of the user.
	if err := os.Setenv("LC_ALL", "C"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// engine answers from a script: what the contract says for a name.
type engine struct {
	control.Engine // what is not here is not called
	mu             sync.Mutex
	calls          []string
	answers        map[string]error
	adapters       []lessee.Adapter
}

func (e *engine) run(op, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, op+" "+name)
	if err, ok := e.answers[name]; ok {
		return err
	}
	return &lessee.Error{Code: errno.ERROR_FILE_NOT_FOUND}
}

func (e *engine) Renew(_ context.Context, name string) error   { return e.run("renew", name) }
func (e *engine) Release(_ context.Context, name string) error { return e.run("release", name) }

// daemon serves e where LESSEE_SOCKET says for the time of the test.
func daemon(t *testing.T, e *engine) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lessee")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "sock")
	t.Setenv(lessee.SocketEnv, path)
	if e == nil {
		return
	}
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(e, control.Options{})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(context.Background()), <-done); err != nil {
			t.Error(err)
		}
	})
}

func named(t *testing.T, index uint32, name string) *IpAdapterIndexMap {
	t.Helper()
	m := &IpAdapterIndexMap{Index: index}
	if err := m.SetName(name); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestContract has the rows of the contract's tables that concern release and
// renew on Linux. What makes each one happen on a network is tested with the
// engine; here it is that the caller gets the code, bare.
func TestContract(t *testing.T) {
	rows := []struct {
		row  string
		name string
		err  error
		want error
	}{
		{"success", "eth0", nil, nil},
		{"an alternative name works, too", "uplink", nil, nil},
		{"no adapter of that name, or nobody manages it by DHCP", "eth9", &lessee.Error{Code: errno.ERROR_FILE_NOT_FOUND}, ERROR_FILE_NOT_FOUND},
		{"no lease", "eth1", &lessee.Error{Code: errno.ERROR_ADDRESS_NOT_ASSOCIATED}, ERROR_ADDRESS_NOT_ASSOCIATED},
		{"not allowed", "eth2", &lessee.Error{Code: errno.ERROR_ACCESS_DENIED}, ERROR_ACCESS_DENIED},
		{"down or no carrier", "eth3", &lessee.Error{Code: errno.ERROR_NO_NETWORK}, ERROR_NO_NETWORK},
		{"no server answered", "eth4", &lessee.Error{Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{Reason: reason.NoServer}}, ERROR_SEM_TIMEOUT},
		{"the address is in use", "eth5", &lessee.Error{Code: errno.ERROR_DHCP_ADDRESS_CONFLICT}, ERROR_DHCP_ADDRESS_CONFLICT},
		{"the manager cannot", "eth6", &lessee.Error{Code: errno.ERROR_NOT_SUPPORTED}, ERROR_NOT_SUPPORTED},
		{"the caller gave up", "eth7", &lessee.Error{Code: errno.ERROR_CANCELLED}, ERROR_CANCELLED},
		{"the service failed", "eth8", errors.New("unexpected"), ERROR_PROC_NOT_FOUND},
	}
	e := &engine{answers: make(map[string]error)}
	for _, r := range rows {
		e.answers[r.name] = r.err
	}
	daemon(t, e)
	for op, call := range map[string]func(*IpAdapterIndexMap) error{"release": IpReleaseAddress, "renew": IpRenewAddress} {
		for _, r := range rows {
			// Only the name counts: the index is wrong, the name right.
			if err := call(named(t, 4711, r.name)); err != r.want { //nolint:errorlint // It is to be the bare code.
				t.Errorf("%s, %s: %#v, want %#v", op, r.row, err, r.want)
			}
			if want := op + " " + r.name; !slices.Contains(e.calls, want) {
				t.Errorf("%s, %s: the daemon was asked %q", op, r.row, e.calls)
			}
		}
		// The right index, a wrong name.
		if err := call(named(t, 1, "lox")); err != ERROR_FILE_NOT_FOUND { //nolint:errorlint // As above.
			t.Errorf("%s with the right index and a wrong name: %v", op, err)
		}
	}
	for name, m := range badNames() {
		asked := len(e.calls)
		if err := IpRenewAddress(m); err != ERROR_INVALID_PARAMETER || len(e.calls) != asked { //nolint:errorlint // As above.
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContractNoDaemon(t *testing.T) {
	daemon(t, nil)
	if err := IpRenewAddress(named(t, 1, "eth0")); err != ERROR_PROC_NOT_FOUND { //nolint:errorlint // The bare code.
		t.Errorf("no socket: %v", err)
	}
}

// TestContractBrokenDaemon: the connection breaks, the answer is not understood.
func TestContractBrokenDaemon(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":             "",
		"not HTTP":            "hello\r\n",
		"half an answer":      "HTTP/1.1 500 E\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
		"an error in HTML":    "HTTP/1.1 500 E\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\noops",
		"an error that isn't": "HTTP/1.1 500 E\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"code\":0}",
		"a redirect":          "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			daemon(t, nil)
			l, err := net.Listen("unix", os.Getenv(lessee.SocketEnv))
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				buf := make([]byte, 4096)
				_, _ = c.Read(buf)
				_, _ = c.Write([]byte(answer))
				_ = c.Close()
			}()
			if err := IpReleaseAddress(named(t, 1, "eth0")); err != ERROR_PROC_NOT_FOUND { //nolint:errorlint // The bare code.
				t.Errorf("got %v", err)
			}
			l.Close()
			<-done
		})
	}
}

// namespace runs test in a network namespace of its own, in which the thread stays
// and with which it ends.
func namespace(t *testing.T, test func(t *testing.T, h *netlink.Handle)) {
	t.Helper()
	done := make(chan struct{})
	skip := ""
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			skip = fmt.Sprintf("a network namespace cannot be made: %v", err)
			return
		}
		h, err := netlink.NewHandle()
		if err != nil {
			t.Error(err)
			return
		}
		defer h.Close()
		test(t, h)
	}()
	<-done
	if skip != "" {
		t.Skip(skip)
	}
}

// pair adds a pair of veth interfaces, both up or down.
func pair(t *testing.T, h *netlink.Handle, a, b string, up bool) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = a
	if err := h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: b}); err != nil {
		t.Errorf("add %s: %v", a, err)
		return
	}
	for _, name := range []string{a, b} {
		if up {
			setUp(t, h, name)
		}
	}
}

func setUp(t *testing.T, h *netlink.Handle, name string) {
	t.Helper()
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(l)
	}
	if err != nil {
		t.Errorf("set up %s: %v", name, err)
	}
}

func nameList(list []IpAdapterIndexMap) string {
	var out []string
	for i := range list {
		out = append(out, list[i].NameString())
	}
	return strings.Join(out, " ")
}

func TestGetInterfaceInfo(t *testing.T) {
	t.Parallel()
	if err := GetInterfaceInfo(nil, nil); err != ERROR_INVALID_PARAMETER { //nolint:errorlint // The bare code.
		t.Errorf("no size: %v", err)
	}
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		size := uint32(77)
		step := func(what string, table *IpInterfaceInfo, want error, wantSize uint32) {
			t.Helper()
			if err := GetInterfaceInfo(table, &size); err != want || size != wantSize { //nolint:errorlint // The bare code.
				t.Errorf("%s: %v, size %d; want %v, %d", what, err, size, want, wantSize)
			}
		}
		setUp(t, h, "lo")
		step("loopback only", nil, ERROR_NO_DATA, 77)
		pair(t, h, "a0", "a1", false)
		step("all down", nil, ERROR_NO_DATA, 77)
		if list, err := Interfaces(); list != nil || err != ERROR_NO_DATA { //nolint:errorlint // The bare code.
			t.Errorf("Interfaces, all down: %v %v", list, err)
		}
		setUp(t, h, "a1")
		step("no table", nil, ERROR_INSUFFICIENT_BUFFER, 4+260)
		buf := make([]uint32, (4+3*260)/4)
		table := (*IpInterfaceInfo)(unsafe.Pointer(&buf[0]))
		size = 263
		step("one byte too small", table, ERROR_INSUFFICIENT_BUFFER, 264)
		if slices.ContainsFunc(buf, func(w uint32) bool { return w != 0 }) {
			t.Error("a table that is too small was written to")
		}
		step("one adapter", table, nil, 264)
		if got := nameList(table.Adapters()); table.NumAdapters != 1 || got != "a1" {
			t.Errorf("got %d adapters: %q", table.NumAdapters, got)
		}
		link, err := h.LinkByName("a1")
		if err != nil || int(table.Adapter[0].Index) != link.Attrs().Index {
			t.Errorf("index %d, want that of %v (%v)", table.Adapter[0].Index, link, err)
		}

		// Between the two calls adapters appear.
		size = 0
		step("ask for the size", nil, ERROR_INSUFFICIENT_BUFFER, 264)
		pair(t, h, "b0", "b1", true)
		step("it has grown", table, ERROR_INSUFFICIENT_BUFFER, 4+3*260)
		step("with the new size", table, nil, 4+3*260)
		list, err := Interfaces()
		if err != nil || nameList(list) != nameList(table.Adapters()) || len(list) != 3 {
			t.Errorf("Interfaces: %q %v, GetInterfaceInfo: %q", nameList(list), err, nameList(table.Adapters()))
		}
		if !slices.IsSortedFunc(list, func(a, b IpAdapterIndexMap) int { return int(a.Index) - int(b.Index) }) {
			t.Errorf("not in the order of the indices: %q", nameList(list))
		}
		size = 1 << 20
		step("more room than needed", table, nil, 1<<20)
	})
}
