package test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/engine"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/test/lab"
)

// clientOf is how the engine's clients are.
func clientOf(link netconf.Link) v4.Config {
	return v4.Config{
		DHCP4:    dhcp4.Config{HardwareType: uint8(link.HardwareType), HardwareAddr: link.HardwareAddr, Seed: uint64(time.Now().UnixNano())},
		Policy:   v4.Policy{Metric: 1000},
		Conflict: v4.ConflictOptimisticOnce,
	}
}

// A pod is a network namespace that is found by a path, with an adapter eth0 on a
// network of its own.
type pod struct {
	path   string
	space  *lab.Space
	server *lab.Server
	host   *lab.Space
}

// pods makes two, whose adapters have the same name, index and hardware address.
func pods(t *testing.T) (a, b *pod) {
	t.Helper()
	lab.Need(t, "dnsmasq")
	l := lab.New(t)
	make1 := func(number int) *pod {
		n := l.Network(fmt.Sprintf("net%d", number))
		p := &pod{space: l.Space(fmt.Sprintf("pod%d", number))}
		subnet := fmt.Sprintf("10.%d.0.", 80+number)
		p.host = n.Host(fmt.Sprintf("server%d", number), subnet+"1/24")
		n.Attach(p.space, "eth0", mac)
		p.server = dnsmasq().Start(t, p.host, lab.Config{First: netip.MustParseAddr(subnet + "100"), Last: netip.MustParseAddr(subnet + "120"), Lease: 2 * time.Minute})
		p.path = filepath.Join(t.TempDir(), "net")
		if err := os.WriteFile(p.path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var self string
		if err := p.space.Do(func() error { self = fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(self, p.path, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("needs the right to mount: %v", err)
		}
		t.Cleanup(func() { p.remove() })
		return p
	}
	return make1(1), make1(2)
}

// remove takes the path away, as ip netns del does.
func (p *pod) remove() {
	_ = unix.Unmount(p.path, unix.MNT_DETACH)
	_ = os.Remove(p.path)
}

// holders returns the descriptors of this process that keep the pod's namespace:
// its file and its sockets.
func (p *pod) holders(t *testing.T) (list []string) {
	t.Helper()
	var inode string
	if err := p.space.Do(func() (err error) { inode, err = os.Readlink("/proc/thread-self/ns/net"); return err }); err != nil {
		t.Fatal(err)
	}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && to == inode {
			list = append(list, fd)
		}
	}
	var sockets []string
	for _, table := range []string{"packet", "netlink", "udp"} {
		text, err := p.space.ReadFile("/proc/thread-self/net/" + table)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if i > 0 {
				sockets = append(sockets, table+": "+line)
			}
		}
	}
	slices.Sort(sockets) // the kernel has no order
	return append(list, sockets...)
}

func startEngine(t *testing.T, cfg engine.Config) *engine.Engine {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	if cfg.Client == nil {
		cfg.Client = clientOf
	}
	e, err := engine.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); e.Wait() })
	return e
}

func (p *pod) client(t *testing.T, e *engine.Engine) *engine.Client {
	t.Helper()
	c, err := e.ClientAt(p.path, filepath.Base(filepath.Dir(p.path)), "eth0")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustDo(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestTwoNamespaces: one engine has the adapters of two namespaces, which are the same
// but for their namespace. While nothing is under way, nothing of the process is in them.
func TestTwoNamespaces(t *testing.T) {
	t.Parallel()
	a, b := pods(t)
	quiet := [2][]string{a.holders(t), b.holders(t)}
	idle := func(what string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; {
			now := [2][]string{a.holders(t), b.holders(t)}
			if slices.Equal(now[0], quiet[0]) && slices.Equal(now[1], quiet[1]) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: something of the engine stays in the namespaces: %q, at first %q", what, now, quiet)
			}
			time.Sleep(10 * time.Millisecond) // nobody tells when a socket is closed
		}
	}
	store := &records{}
	e := startEngine(t, engine.Config{Store: store})
	ca, cb := a.client(t, e), b.client(t, e)
	idle("before anything")
	mustDo(t, "up of the first", ca.Up(patient(t)))
	mustDo(t, "up of the second", cb.Up(patient(t)))
	la, lb := ca.Status().Lease, cb.Status().Lease
	if la == nil || lb == nil || la.Address.Masked() == lb.Address.Masked() {
		t.Fatalf("leases %+v and %+v", la, lb)
	}
	for _, x := range []struct {
		p *pod
		l *dhcp4.Lease
	}{{a, la}, {b, lb}} {
		if got := x.p.space.Addresses("eth0"); len(got) == 0 || got[0].Prefix != x.l.Address {
			t.Errorf("the kernel has %v, the lease is %v", got, x.l.Address)
		}
	}
	idle("with leases")
	mustDo(t, "renew of the first", ca.Renew(patient(t)))
	a.server.Stop(t)
	mustDo(t, "renew of the second beside a silent server", cb.Renew(patient(t)))
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := ca.Renew(short); err == nil {
		t.Error("the renew without a server succeeds")
	}
	a.server.Resume(t)
	mustDo(t, "release of the second", cb.Release(patient(t)))
	b.space.AwaitNoAddress(t, "eth0", 5*time.Second)
	if got := a.space.Addresses("eth0"); len(got) == 0 {
		t.Error("the release in one namespace took the address of the other")
	}
	mustDo(t, "renew of the first again", ca.Renew(patient(t)))
	idle("after a release")

	// Another process begins with the records of this one.
	again := startEngine(t, engine.Config{Store: store})
	ca2 := a.client(t, again)
	mustDo(t, "up after a restart", ca2.Up(patient(t)))
	if l := ca2.Status().Lease; l == nil || l.Address != la.Address {
		t.Errorf("after a restart: lease %+v, before %v", l, la.Address)
	}
	if names := store.names(); len(names) != 2 || !strings.HasSuffix(names[0], "/eth0") || names[0] == names[1] {
		t.Errorf("records %q", names)
	}
}

// TestNamespaceGoes: where a namespace is deleted during an exchange, its link is gone
// at once, the caller is told, and nothing of the engine keeps it.
func TestNamespaceGoes(t *testing.T) {
	t.Parallel()
	a, _ := pods(t)
	a.server.Stop(t)
	quiet := a.holders(t)
	e := startEngine(t, engine.Config{})
	c := a.client(t, e)
	answer := make(chan error, 1)
	go func() { answer <- c.Up(patient(t)) }()
	for len(a.holders(t)) == len(quiet) {
		time.Sleep(time.Millisecond) // until the exchange has begun
	}
	began := time.Now()
	a.remove()
	err := <-answer
	if took := time.Since(began); err == nil || took > 5*time.Second {
		t.Errorf("the caller hears %v after %v", err, took)
	}
	t.Logf("the caller hears %v after %v", err, time.Since(began))
	for end := time.Now().Add(5 * time.Second); len(a.holders(t)) != len(quiet); {
		if time.Now().After(end) {
			t.Fatalf("something keeps the namespace: %q, at first %q", a.holders(t), quiet)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.Renew(patient(t)); err == nil {
		t.Error("a renew in a namespace that is gone succeeds")
	}
}

// TestOwnKernelPort: a program that configures the adapter itself, and answers later, is
// as good as our own port.
func TestOwnKernelPort(t *testing.T) {
	t.Parallel()
	a, _ := pods(t)
	own := &slowKernel{asked: make(chan netip.Prefix, 10)}
	e := startEngine(t, engine.Config{Kernel: func(k core.Kernel, tell func(core.Input) bool) core.Kernel {
		own.Kernel, own.tell = k, tell
		return own
	}})
	c := a.client(t, e)
	mustDo(t, "up", c.Up(patient(t)))
	l := c.Status().Lease
	if asked := <-own.asked; l == nil || asked != l.Address {
		t.Errorf("the port was asked for %v, the lease is %+v", asked, l)
	}
	if got := a.space.Addresses("eth0"); len(got) != 0 {
		t.Errorf("the kernel has %v, and nobody set it", got)
	}
	mustDo(t, "down", c.Down(patient(t)))
}

// A slowKernel notes what is wanted, and says a moment later that it is done.
type slowKernel struct {
	core.Kernel

	tell  func(core.Input) bool
	asked chan netip.Prefix
}

func (k *slowKernel) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	k.asked <- o.Want.IPv4().Prefix
	time.AfterFunc(50*time.Millisecond, func() {
		k.tell(core.Applied{Of: a.Of, Turn: a.Turn, What: tenancy.Applied{Seq: o.Seq, Extent: tenancy.AppliedAll}})
	})
	return tenancy.Applied{}, false
}

func (k *slowKernel) Inspect(_ core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	return tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}, true
}

// records are a store in memory that outlives an engine.
type records struct {
	mu   sync.Mutex
	byID map[string]v4.Record
}

var _ loop.Store = (*records)(nil)

func (r *records) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for n := range r.byID {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (r *records) Save(name string, rec v4.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[string]v4.Record{}
	}
	r.byID[name] = rec
	return nil
}

func (r *records) Load(name string) (v4.Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, ok := r.byID[name]
	return rec, ok, nil
}

func (r *records) Remove(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, name)
	return nil
}

func (r *records) RehearseSave(v4.Record) error { return nil }
func (r *records) Persist(string) error         { return nil }
func (r *records) Pending() []string            { return nil }
