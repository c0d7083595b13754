package driver

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// takeAway removes the addresses of an interface, as another program does.
func (w *world) takeAway(index int) {
	w.mu.Lock()
	w.addresses[index] = nil
	changed := w.changed
	w.mu.Unlock()
	changed(netconf.Disturbed{Index: index, Object: netconf.Object{Prefix: netip.MustParsePrefix("10.77.0.2/16")}})
}

// TestTakenAway: another program that deletes our address every now and then is not
// fought, whatever its pace: it is put back once in ten minutes at most, the
// problem is shown, no address is listed that the kernel lacks, and a renew
// repairs it.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	for _, pace := range []time.Duration{100 * time.Millisecond, time.Second, time.Minute} {
		t.Run(pace.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.addLink(2, "c0")
				d := w.run(t)
				mustUp(t, d, "c0")
				synctest.Wait()
				before := w.count(func(l string) bool { return strings.HasPrefix(l, "c0 apply") })
				const during = 25 * time.Minute
				for began := time.Now(); time.Since(began) < during; {
					w.takeAway(2)
					synctest.Wait()
					a, err := d.Adapter(t.Context(), "c0")
					if err != nil {
						t.Fatal(err)
					}
					w.mu.Lock()
					there := len(w.addresses[2]) > 0 // put back in this very instant
					w.mu.Unlock()
					if v := a.IPv4; v.Address.IsValid() != there || (v.State == "bound") != there || (v.ProblemCause != nil && v.ProblemCause.Reason == reason.TakenAway) == there {
						t.Fatalf("after %v: state %s, address %v, problem %q; the kernel has it: %v", time.Since(began), v.State, v.Address, v.Problem, there)
					}
					time.Sleep(pace)
				}
				n := w.count(func(l string) bool { return strings.HasPrefix(l, "c0 apply") }) - before
				if n < 1 || n > int(during/(10*time.Minute))+1 {
					t.Errorf("told the kernel %d times in %v", n, during)
				}
				if got := told(t, d, "c0"); !strings.HasPrefix(got, "lessee requesting: taken-away: ") {
					t.Errorf("why: %s", got)
				}
				if err := d.Renew(t.Context(), "c0"); err != nil {
					t.Fatal(err)
				}
				a, err := d.Adapter(t.Context(), "c0")
				if err != nil || !a.IPv4.Address.IsValid() || a.IPv4.Problem != "" || a.IPv4.State != "bound" {
					t.Errorf("after a renew: %+v, %v", a.IPv4, err)
				}
			})
		})
	}
}

// TestAnotherClientTakesOver: what another DHCP client takes away is not put back.
func TestAnotherClientTakesOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		synctest.Wait()
		applies := func() int { return w.count(func(l string) bool { return strings.HasPrefix(l, "c0 apply") }) }
		before := applies()
		w.mu.Lock()
		w.manager = "dhcpcd"
		w.mu.Unlock()
		w.takeAway(2)
		time.Sleep(5 * time.Minute)
		if n := applies() - before; n != 0 {
			t.Errorf("told the kernel %d times", n)
		}
		if got := told(t, d, "c0"); !strings.Contains(got, "problem") {
			t.Errorf("why: %s", got)
		}
	})
}

// TestResolverChanged: another program's change of the resolver's file is a problem
// of the adapters with name servers, until the file is ours again.
func TestResolverChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		problem := func() string {
			a, err := d.Adapter(t.Context(), "c0")
			if err != nil {
				t.Fatal(err)
			}
			return a.IPv4.Problem
		}
		d.ResolverChanged("/etc/resolv.conf")
		if p := problem(); !strings.Contains(p, "/etc/resolv.conf") {
			t.Errorf("problem %q", p)
		}
		if got := told(t, d, "c0"); !strings.Contains(got, "problem") {
			t.Errorf("why: %s", got)
		}
		d.ResolverChanged("")
		if p := problem(); p != "" {
			t.Errorf("problem %q when the file is ours again", p)
		}
	})
}
