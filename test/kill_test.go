package test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// kills is how often the daemon is killed at each system call.
var kills = flag.Int("kills", 1, "how often TestKillAtEverySystemCall kills the daemon at each system call")

// fromServer is what a message of the ledger to the client contains.
func fromServer(typ dhcpv4.MessageType) []byte {
	// Options 53 and 54 follow each other: the ledger sorts them.
	return []byte{53, 1, byte(typ), 54, 4, 10, 77, 0, 1}
}

// A killing is a call during which the daemon is killed.
type killing struct {
	name string
	// from is what the daemon receives before the first system call that counts.
	from [][]byte
	// prepare brings the daemon to where the call is made.
	prepare func(k *killer)
	call    func(ctx context.Context, c *lessee.Client) error
	// agree returns what does not agree after the restart, or "".
	agree func(k *killer, now outcome) string
}

var killings = []killing{
	{
		name: "new lease", from: [][]byte{fromServer(ack)},
		prepare: func(k *killer) { k.must(k.release()) },
		call:    func(ctx context.Context, c *lessee.Client) error { return c.Renew(ctx, "c0") },
		agree: func(_ *killer, now outcome) string {
			if now.state == "bound" {
				return now.bound()
			}
			return now.without("released") // the server's answer was not on record yet
		},
	},
	{
		name: "renewal", from: [][]byte{fromServer(ack)},
		prepare: func(k *killer) { k.must(k.renew()) },
		call:    func(ctx context.Context, c *lessee.Client) error { return c.Renew(ctx, "c0") },
		agree: func(k *killer, now outcome) string {
			if lost := k.changes.Select(k.mark, func(c lab.AddressChange) bool { return c.Removed }); len(lost) > 0 {
				return fmt.Sprintf("the address was removed: %v", lost)
			}
			return now.bound()
		},
	},
	{
		name: "release", from: [][]byte{[]byte("POST /v1/adapters/c0/release")},
		prepare: func(k *killer) { k.must(k.renew()) },
		call:    func(ctx context.Context, c *lessee.Client) error { return c.Release(ctx, "c0") },
		agree: func(k *killer, now outcome) string {
			if now.state == "bound" && !now.answered && k.released == now.releases {
				return now.bound() // it did not begin
			}
			if now.releases == k.released || now.held.IsValid() {
				return "no RELEASE was sent"
			}
			return now.without("released")
		},
	},
	{
		name: "change of address", from: [][]byte{fromServer(nak)},
		prepare: func(k *killer) {
			k.must(k.renew())
			k.renumber()
		},
		call:  func(ctx context.Context, c *lessee.Client) error { return c.Renew(ctx, "c0") },
		agree: func(_ *killer, now outcome) string { return now.bound() },
	},
}

// An outcome is how things are after the restart.
type outcome struct {
	answered bool // the call, before the daemon was killed
	state    string
	lease    netip.Addr
	kernel   []netip.Addr
	record   string
	held     netip.Addr // by the server's list
	releases int
}

func (o outcome) String() string {
	return fmt.Sprintf("answered %v, state %q, lease %v, kernel %v, server %v, %d RELEASEs, record %s",
		o.answered, o.state, o.lease, o.kernel, o.held, o.releases, o.record)
}

// bound returns "" if the adapter has a lease and its address, and no other.
func (o outcome) bound() string {
	if o.state != "bound" || len(o.kernel) != 1 || o.kernel[0] != o.lease || !named(o.record, o.lease) {
		return "not bound with one address on record"
	}
	return ""
}

// without returns "" if the adapter has no lease, and no address.
func (o outcome) without(state string) string {
	if o.state != state || len(o.kernel) > 0 {
		return "not " + state + " without an address"
	}
	return ""
}

// named reports whether the record has the address.
func named(record string, a netip.Addr) bool { return strings.Contains(record, `"`+a.String()+"/") }

// A killer kills the daemon and looks at what is left.
type killer struct {
	*ledger
	t       *testing.T
	client  *lab.Space
	changes *lab.AddressWatch
	tracer  *lab.Tracer
	state   *lab.Disk
	daemon  *lab.Daemon

	mark     int // of changes, before the call
	released int // RELEASEs before the call
	slowest  time.Duration
	failures int
}

// TestKillAtEverySystemCall kills the daemon at each system call between the
// server's answer and what follows the daemon's own, and checks that after the
// restart the kernel, the record and the server agree.
func TestKillAtEverySystemCall(t *testing.T) {
	t.Parallel()
	for _, what := range killings {
		t.Run(what.name, func(t *testing.T) {
			t.Parallel()
			v, client := newVillain(t)
			k := &killer{ledger: newLedger(v), t: t, client: client, tracer: lab.NewTracer(t)}
			k.changes, k.state = client.WatchAddresses(t), client.SmallDisk(t, "disk")
			k.start()
			points, answer := k.count(what)
			tried := 0
			began := time.Now()
			step := 1
			if testing.Short() {
				step = 10
			}
			for n := 1; n <= points && k.failures < 5; n += step {
				for range *kills {
					k.kill(what, n)
				}
				tried++
			}
			if !lab.Eventually(patience, func() bool { return k.saved() != "" }) {
				t.Errorf("the record on disk is not the one of this boot: %s", k.record())
			}
			t.Logf("%s: killed at %d of %d system calls, %d runs in %v; the answer is about number %d; %d exceptions; agreement %v after the restart at the latest",
				what.name, tried, points, tried**kills, time.Since(began).Round(time.Second), answer, k.failures, k.slowest.Round(time.Millisecond))
		})
	}
}

func (k *killer) start() {
	k.t.Helper()
	k.daemon = k.client.ReadyDaemon(k.t, lab.Options{Args: []string{"c0"}, State: k.state.Dir, Quiet: true})
}

func (k *killer) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *killer) renew() error {
	return k.daemon.Client.Renew(context.Background(), "c0")
}

// release has the adapter have no lease.
func (k *killer) release() error {
	if err := k.renew(); err != nil {
		return err
	}
	return k.daemon.Client.Release(context.Background(), "c0")
}

// count returns how many system calls an undisturbed call makes from the start
// of the count until the record is on disk, and the number of the answer.
func (k *killer) count(what killing) (all, answer int) {
	k.t.Helper()
	for range 3 {
		result, _ := k.traced(what, 0)
		if result.UntilAt == 0 {
			k.t.Fatalf("%s: no answer in %d system calls: %v", what.name, result.Count, result.Calls)
		}
		all, answer = max(all, result.Count), max(answer, result.UntilAt)
		if now, wrong := k.restart(what, true); wrong != "" {
			k.t.Fatalf("%s, undisturbed: %s: %+v", what.name, wrong, now)
		}
	}
	return all, answer
}

// traced makes the call until the daemon is killed at system call n, or, if
// that does not come, when all is done.
func (k *killer) traced(what killing, n int) (lab.TraceResult, error) {
	k.t.Helper()
	what.prepare(k)
	before := k.record()
	k.mark = k.changes.Mark()
	_, k.released = k.holds()
	k.tracer.Attach(k.t, k.daemon.Pid(), lab.TraceRule{From: what.from, Until: [][]byte{[]byte("HTTP/1.1 2")}, KillAt: n})
	err := what.call(k.t.Context(), k.daemon.Client)
	if !lab.Eventually(patience, func() bool {
		now := k.saved()
		return k.tracer.Ended() || now != before && now != ""
	}) {
		k.t.Errorf("%s: the record is not on disk; the call: %v", what.name, err)
	}
	if !k.tracer.Ended() {
		k.tracer.Kill(k.t)
	}
	result := k.tracer.Wait(k.t, patience)
	k.daemon.Wait(k.t, patience)
	return result, err
}

// saved returns the record on disk if it is the one that counts in this boot.
func (k *killer) saved() string {
	k.t.Helper()
	if onDisk := string(k.state.Read("c0.json")); onDisk == k.record() {
		return onDisk
	}
	return ""
}

// kill makes the call with the daemon killed at system call n, and reports what
// is wrong afterwards.
func (k *killer) kill(what killing, n int) {
	k.t.Helper()
	result, err := k.traced(what, n)
	at := fmt.Sprintf("%s, killed at %d (%s)", what.name, n, result.Last())
	for _, a := range k.addresses() {
		if !named(k.record(), a) {
			k.failures++
			k.t.Errorf("%s: the kernel has %v, and no record names it: %s", at, a, k.record())
		}
	}
	killed := k.daemon
	if now, wrong := k.restart(what, err == nil); wrong == "" {
		killed.Forget()
	} else {
		k.failures++
		k.t.Errorf("%s: %s: %v\n%s", at, wrong, now, strings.Join(result.Calls, "\n"))
	}
}

// restart starts the daemon anew and waits until all agree.
func (k *killer) restart(what killing, answered bool) (outcome, string) {
	k.t.Helper()
	k.start()
	began := time.Now()
	var now outcome
	wrong := ""
	lab.Eventually(patience, func() bool {
		now = outcome{answered: answered, kernel: k.addresses(), record: k.record()}
		now.held, now.releases = k.holds()
		if a, err := k.daemon.Client.Adapter(k.t.Context(), "c0"); err == nil && a.IPv4 != nil {
			now.state, now.lease = a.IPv4.State, a.IPv4.Address.Addr()
		}
		wrong = what.agree(k, now)
		return wrong == ""
	})
	k.slowest = max(k.slowest, time.Since(began))
	return now, wrong
}

func (k *killer) addresses() []netip.Addr {
	var out []netip.Addr
	for _, a := range k.client.Addresses("c0") {
		out = append(out, a.Prefix.Addr())
	}
	return out
}

// record returns the text of the record that counts in this boot.
func (k *killer) record() string {
	k.t.Helper()
	b, err := os.ReadFile(filepath.Join(k.daemon.Run, "leases", "c0.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		k.t.Fatal(err)
	}
	return string(b)
}
