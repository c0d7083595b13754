package loop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
	"golang.org/x/sys/unix"
)

// A story is what a scene notes, step by step.
type story struct {
	*scene
	text strings.Builder
}

// step has something happen and writes what it brought about.
func (s *story) step(what string, f func()) {
	s.noted()
	f()
	s.text.WriteString("# " + what + "\n")
	all := s.noted()
	// What works beside the loop: at one instant its notes are before or after.
	beside := func(note string) int {
		word, _, _ := strings.Cut(note, " ")
		return slices.Index([]string{"resolve", "persist", "closed"}, word)
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(beside(a), beside(b)) })
	for _, n := range all {
		s.text.WriteString(n + "\n")
	}
	s.text.WriteByte('\n')
}

// stories plays one and compares it with its file of testdata.
func stories(t *testing.T, f func(*story), links ...netconf.Link) {
	t.Helper()
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	play(t, func(s *scene) {
		told := &story{scene: s}
		f(told)
		told.step("the end", s.stop)
		golden.Check(s.t, name+".txt", told.text.String())
	}, links...)
}

// TestHome is the life of an adapter in the namespace of the process.
func TestHome(t *testing.T) {
	t.Parallel()
	stories(t, func(s *story) {
		s.step("up", func() { s.well("up", s.up(0, "c0")) })
		s.step("the record is kept", func() { time.Sleep(persistDelay + persistDelay/2) })
		s.step("renew", func() { s.well("renew", s.call(0, "c0", tenancy.Renew)) })
		s.step("others change the routes", func() {
			s.loop.Do(func() { s.home.tell(netconf.Disturbed{Index: 2}) })
			time.Sleep(time.Second + time.Millisecond)
		})
		s.step("release", func() { s.well("release", s.call(0, "c0", tenancy.Release)) })
		s.step("renew what was released", func() { s.well("renew", s.call(0, "c0", tenancy.Renew)) })
		s.step("another has the address", func() {
			s.loop.Do(func() {
				p := []byte{0, 1, 8, 0, 6, 4, 0, 2, 2, 9, 9, 9, 9, 9, 10, 77, 0, 100, 2, 0, 0, 0, 0, 2, 10, 77, 0, 100}
				s.home.hear[2](packet.ARP{Packet: p, From: p[8:14]})
			})
		})
		s.step("down", func() { s.well("down", s.call(0, "c0", tenancy.End)) })
		s.step("up again", func() { s.well("up", s.up(0, "c0")) })
		s.step("the link is gone", func() {
			s.home.links = nil
			s.loop.Do(func() { s.home.tell(netconf.LinkChange{Link: link(2, "c0"), Gone: true}) })
		})
		s.step("the link is back", func() {
			s.home.links = []netconf.Link{link(3, "c0")}
			s.loop.Do(func() { s.home.tell(netconf.LinkChange{Link: link(3, "c0")}) })
		})
	}, link(2, "c0"))
}

// TestVisits: nothing is open in another namespace while nothing is under way there, and
// what happened meanwhile is seen at the next visit.
func TestVisits(t *testing.T) {
	t.Parallel()
	stories(t, func(s *story) {
		a, b := s.place("a", link(2, "c0")), s.place("b", link(2, "c0"))
		var ns [2]core.NS
		s.step("join both", func() {
			for i, p := range []*stage{a, b} {
				var err error
				if ns[i], err = s.loop.Join(p.where()); err != nil {
					s.t.Fatal(err)
				}
			}
			if again, err := s.loop.Join(a.where()); again != ns[0] || err != nil || ns[0] == ns[1] {
				s.t.Errorf("joined as %v, then as %v, %v", ns, again, err)
			}
		})
		s.step("the records of a are not those of c", func() {
			c := s.place("c").where()
			c.ID = a.where().ID
			if _, err := s.loop.Join(c); err == nil {
				s.t.Error("joined")
			}
		})
		s.step("up in a", func() { s.well("up", s.up(ns[0], "c0")) })
		s.step("up in b", func() { s.well("up", s.up(ns[1], "c0")) })
		s.step("the records are kept", func() { time.Sleep(persistDelay + persistDelay/2) })
		s.step("nothing is under way", func() { time.Sleep(time.Minute + time.Millisecond) })
		s.step("the link of a is renamed, nobody looks, renew", func() {
			a.links = []netconf.Link{link(2, "c1"), link(3, "new")}
			s.well("renew", s.call(ns[0], "c0", tenancy.Renew))
		})
		s.step("a can be entered and not be watched, renew", func() {
			s.set("watch links", unix.EMFILE)
			if o := s.call(ns[0], "c1", tenancy.Renew); o.code == errno.NO_ERROR {
				s.t.Error("renewed")
			}
			s.set("watch links", nil)
		})
		s.step("it can be watched again, renew", func() { s.well("renew", s.call(ns[0], "c1", tenancy.Renew)) })
		s.step("the link of a is gone, nobody looks, renew", func() {
			a.links = []netconf.Link{link(3, "new")}
			if o := s.call(ns[0], "c1", tenancy.Renew); o.code == errno.NO_ERROR {
				s.t.Error("renewed")
			}
		})
		s.step("b cannot be entered", func() {
			s.set("enter b", errors.New("no descriptor is left"))
			if o := s.call(ns[1], "c0", tenancy.Release); o.code != errno.NO_ERROR {
				s.t.Logf("released: %v, %v", o.code, o.err)
			}
			s.set("enter b", nil)
		})
		s.step("b has ended", func() {
			s.set("enter b", netconf.ErrNoSpace)
			if o := s.call(ns[1], "c0", tenancy.Renew); o.code == errno.NO_ERROR {
				s.t.Error("renewed")
			}
		})
		s.step("a is told to have ended, twice", func() {
			s.loop.Do(a.gone)
			s.loop.Do(a.gone)
		})
		s.step("d cannot be watched", func() {
			d := s.place("d")
			s.set("watch d", errors.New("no descriptor is left"))
			if _, err := s.loop.Join(d.where()); !errors.Is(err, s.failure("watch d")) {
				s.t.Errorf("joined: %v", err)
			}
		})
		s.step("e cannot be entered", func() {
			e := s.place("e")
			s.set("enter e", errors.New("no descriptor is left"))
			if _, err := s.loop.Join(e.where()); !errors.Is(err, s.failure("enter e")) {
				s.t.Errorf("joined: %v", err)
			}
		})
		s.step("f has no notifications", func() {
			s.set("watch links", errors.New("no descriptor is left"))
			if _, err := s.loop.Join(s.place("f").where()); !errors.Is(err, s.failure("watch links")) {
				s.t.Errorf("joined: %v", err)
			}
			s.set("watch links", nil)
		})
	}, link(2, "c0"))
}

// TestEnd: the loop's end leaves leases, addresses and records as they are, and nothing
// is open.
func TestEnd(t *testing.T) {
	t.Parallel()
	stories(t, func(s *story) {
		a := s.place("a", link(2, "c0"))
		ns, err := s.loop.Join(a.where())
		if err != nil {
			s.t.Fatal(err)
		}
		s.well("up", s.up(0, "c0"))
		s.well("up", s.up(ns, "c0"))
		s.set("server", errors.New("it is silent"))
		go s.calls.Ask(s.t.Context(), s.loop, Cancelled, func(call uint64) core.Input { //nolint:errcheck // it ends with the loop
			return core.Call{Call: call, NS: ns, Name: "c0", Verb: tenancy.Renew, Deadline: s.loop.Now().Add(time.Hour)}
		})
		synctest.Wait()
	}, link(2, "c0"))
}

// TestAfterTheEnd: nothing is taken any more.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.stop()
		<-s.loop.Done()
		if _, err := s.loop.Join(s.place("a").where()); !errors.Is(err, ErrEnded) {
			t.Errorf("joined: %v", err)
		}
		if s.loop.Tell(core.Timeout{}) || s.loop.Submit(func() {}) || s.loop.Call(func() {}) {
			t.Error("something is taken")
		}
		_, err := s.calls.Ask(s.t.Context(), s.loop, Cancelled, func(call uint64) core.Input { return core.Cancel{Call: call} })
		if !errors.Is(err, ErrEnded) {
			t.Errorf("a call ends with %v", err)
		}
		if n := len(s.calls.answers); n != 0 {
			t.Errorf("%d calls are kept", n)
		}
		ran := make(chan struct{})
		s.loop.Aside(func() { close(ran) })
		<-ran
	})
}

// TestPrepareFails: each reason why an adapter is not managed comes to its caller.
func TestPrepareFails(t *testing.T) {
	t.Parallel()
	failed := errors.New("the port fails")
	down := link(2, "c0")
	down.Up, down.Carrier = false, false
	for _, c := range []struct {
		what string
		link netconf.Link
		do   func(*scene)
		code errno.Errno
		want []string
	}{
		{"another client", link(2, "c0"), func(s *scene) { s.loop.Call(func() { s.manager = "dhcpcd" }) }, errno.ERROR_BUSY, []string{"look for others at c0", "unclaim home/c0"}},
		{
			"another daemon", link(2, "c0"), func(s *scene) { s.set("claim", netconf.ErrClaimed) }, errno.ERROR_BUSY,
			[]string{"look for others at c0", "load c0", "claim home/c0", "unclaim home/c0"},
		},
		{
			"addresses", link(2, "c0"), func(s *scene) { s.set("addresses", failed) }, errno.ERROR_GEN_FAILURE,
			[]string{"look for others at c0", "load c0", "unclaim home/c0"},
		},
		{
			"set up", down, func(s *scene) { s.set("set up", failed) }, errno.ERROR_GEN_FAILURE,
			[]string{"look for others at c0", "load c0", "set up home/2", "unclaim home/c0"},
		},
		{
			"gone meanwhile", link(2, "c0"), func(s *scene) { s.loop.Call(func() { s.home.links = nil }) }, errno.ERROR_FILE_NOT_FOUND,
			[]string{"look for others at c0", "load c0", "claim home/c0", "unclaim home/c0", "unclaim home/"},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			play(t, func(s *scene) {
				c.do(s)
				if o := s.up(0, "c0"); o.code != c.code {
					t.Errorf("the answer is %v, %v, want %v", o.code, o.err, c.code)
				}
				s.want("what was done", s.noted("look", "load", "set up", "claim", "unclaim", "open"), c.want...)
			}, c.link)
		})
	}
}

// TestNeighbours: while a host's link address is awaited the kernel's answers are heard,
// and not else.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	hop := netip.MustParseAddr("10.77.0.254")
	stories(t, func(s *story) {
		s.well("up", s.up(0, "c0"))
		s.noted()
		s.set("post", &netconf.UnresolvedError{Hop: hop})
		release := func(during func()) func() {
			return func() {
				done := make(chan struct{})
				go func() {
					defer close(done)
					o := s.call(0, "c0", tenancy.Release)
					s.note("answer %v, %v", o.code, o.err)
				}()
				synctest.Wait()
				during()
				<-done
			}
		}
		again := func(prepare func()) {
			s.set("post", nil)
			s.well("renew", s.call(0, "c0", tenancy.Renew))
			s.noted()
			s.set("post", &netconf.UnresolvedError{Hop: hop})
			prepare()
		}
		s.step("the host answers", release(func() {
			s.loop.Do(func() { s.home.learn(2, hop, []byte{2, 0, 0, 0, 0, 7}) })
		}))
		again(func() {})
		s.step("nobody answers", release(func() {}))
		again(func() { s.home.neighbour[hop] = net.HardwareAddr{2, 0, 0, 0, 0, 8} })
		s.step("it is known by then", release(func() {}))
		again(func() { clear(s.home.neighbour); s.set("solicit", unix.ENETDOWN) })
		s.step("nobody can be asked", release(func() {}))
		again(func() { s.set("solicit", nil); s.set("neighbours", unix.EMFILE) })
		s.step("no answer could be heard", release(func() {}))
	}, link(2, "c0"))
}

// TestRefusedAreCounted: what did not come to a client is counted by reason while its
// link exists.
func TestRefusedAreCounted(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.well("up", s.up(0, "c0"))
		refuse := s.home.refuse[2]
		counts := func() (r Refusals) {
			s.loop.Call(func() { r = s.loop.Refused(core.ID{Index: 2}) })
			return r
		}
		if got := counts(); got != (Refusals{}) {
			t.Errorf("%v", got)
		}
		s.loop.Call(func() {
			refuse(packet.RefuseVLAN, 2)
			refuse(packet.RefuseVLAN, 3)
			refuse(packet.RefuseOverflow, 0)
			refuse(packet.Refusals, 1) // there is no such reason
			refuse(packet.RefuseOther, 1)
		})
		var want Refusals
		want[packet.RefuseVLAN], want[packet.RefuseOther] = 5, 1
		if got := counts(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		s.loop.Call(func() {
			s.home.tell(netconf.LinkChange{Link: link(2, "c0"), Gone: true})
			refuse(packet.RefuseVLAN, 1) // the last are told later
		})
		if got := counts(); got != (Refusals{}) {
			t.Errorf("%v of a link that is gone", got)
		}
	}, link(2, "c0"))
}

// TestRehearsal: while an adapter waits for its carrier, an exchange is rehearsed, twice,
// and what Apply will ask for is read ahead.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	waiting := link(2, "c0")
	waiting.Carrier = false
	stories(t, func(s *story) {
		s.step("up", func() {
			go s.up(0, "c0")
			synctest.Wait()
		})
		s.step("the carrier comes", func() {
			s.loop.Do(func() { s.home.tell(netconf.LinkChange{Link: link(2, "c0")}) })
		})
		s.step("later", func() { time.Sleep(time.Second + time.Millisecond) })
		s.step("another one waits", func() {
			another := link(3, "c1")
			another.Carrier = false
			s.loop.Call(func() {
				s.home.links = append(s.home.links, another)
				s.home.tell(netconf.LinkChange{Link: another})
			})
			s.loop.Tell(core.Up{Call: 99, Link: another, Deadline: s.loop.Now().Add(time.Hour)})
			time.Sleep(time.Second)
		})
	}, waiting)
}

// TestGivesUp: a caller who goes is answered at once; one whose time is over is
// answered by the core.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.set("server", errors.New("it is silent"))
		ask := func(ctx context.Context, patience time.Duration) outcome {
			o, err := s.calls.Ask(ctx, s.loop, Cancelled, func(call uint64) core.Input {
				_, l, _ := s.loop.Core().Link(0, "c0")
				return core.Up{Call: call, Link: l, Deadline: s.loop.Now().Add(patience)}
			})
			if err != nil {
				t.Error(err)
			}
			return o
		}
		ctx, cancel := context.WithCancel(s.t.Context())
		answers := make(chan outcome, 1)
		began := time.Now()
		go func() { answers <- ask(ctx, time.Hour) }()
		synctest.Wait()
		cancel()
		if o := <-answers; o.code != errno.ERROR_CANCELLED || time.Since(began) != 0 {
			t.Errorf("one who went got %v after %v", o.code, time.Since(began))
		}
		timed, end := context.WithTimeout(s.t.Context(), time.Second)
		defer end()
		began = time.Now()
		if o := ask(timed, 5*time.Second); o.code == errno.NO_ERROR || time.Since(began) != 5*time.Second {
			t.Errorf("one without patience got %v after %v", o.code, time.Since(began))
		}
		if n := len(s.calls.answers); n != 0 {
			t.Errorf("%d calls are kept", n)
		}
	}, link(2, "c0"))
}

// TestNoSuchNamespace: what is asked for in a namespace that has ended fails, and says so.
func TestNoSuchNamespace(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		l, a := s.loop, core.Adapter{ID: core.ID{NS: 7, Index: 2}, Name: "c0", Link: link(2, "c0")}
		address := []netip.Addr{netip.MustParseAddr("10.77.0.100")}
		ended := func(err error) bool { return err != nil && err.Error() == netconf.ErrNoSpace.Error() }
		l.Call(func() {
			if in, now := l.Apply(a, tenancy.Apply{Seq: 5}); !now || in.Seq != 5 || !ended(in.Err) {
				t.Errorf("apply: %+v, %v", in, now)
			}
			if in, now := l.Inspect(a, tenancy.Inspect{Seq: 5}); !now || in.Seq != 5 || !ended(in.Err) {
				t.Errorf("inspect: %+v, %v", in, now)
			}
			for what, err := range map[string]error{
				"solicit":  l.Solicit(a, address[0]),
				"open":     l.Open(a),
				"send":     l.Send(a, dhcp4.Transmit{}),
				"post":     l.Post(a, dhcp4.Transmit{}),
				"send ARP": l.SendARP(a, nil, nil),
				"listen":   l.ListenARP(a, address),
			} {
				if !ended(err) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := errors.Join(l.ListenARP(a, nil), l.ListenForceRenew(a, address[0])); err != nil {
				t.Error(err)
			}
			l.Leave(a)
			l.Close(a)
			l.Desist(a)
			l.Prepare(a, core.Prepare{})
			if l.Refused(a.ID) != (Refusals{}) {
				t.Error("something is refused")
			}
		})
		s.want("what was done", s.noted())
	})
}

// TestSystemError: what the core tells apart stays as it is; the rest is what the system
// said.
func TestSystemError(t *testing.T) {
	t.Parallel()
	unresolved := fmt.Errorf("send: %w", &netconf.UnresolvedError{Hop: netip.MustParseAddr("10.77.0.1")})
	down := fmt.Errorf("send: %w", netconf.ErrLinkDown)
	for _, err := range []error{nil, unresolved, down} {
		if got := systemError(err); got != err { //nolint:errorlint // it is the same one
			t.Errorf("%v is %v", err, got)
		}
	}
	got := systemError(fmt.Errorf("bind: %w", unix.EADDRINUSE))
	if f, is := errors.AsType[*reason.Fault](got); !is || !strings.Contains(f.Error(), "bind") {
		t.Errorf("%+v", got)
	}
}

// TestCallAtTheEnd: what waits for its turn when the loop ends is not carried out, and
// its caller is told.
func TestCallAtTheEnd(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		late := make(chan bool, 1)
		s.loop.Call(func() {
			s.end()
			go func() { late <- s.loop.Call(func() { t.Error("it is carried out") }) }()
			time.Sleep(time.Second) // it has been posted by then
		})
		if <-late {
			t.Error("it was carried out, by what its caller was told")
		}
	})
}

// TestDesist: who did not wait takes nothing from those who do.
func TestDesist(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		a := core.Adapter{ID: core.ID{Index: 2}, Name: "c0", Link: link(2, "c0")}
		host := netip.MustParseAddr("10.77.0.1")
		s.loop.Call(func() {
			s.loop.Desist(a)
			for range 2 {
				if err := s.loop.Solicit(a, host); err != nil {
					t.Error(err)
				}
			}
			s.loop.Desist(a)
		})
		s.want("one still waits", s.noted("close"))
		s.loop.Call(func() { s.loop.Desist(a) })
		s.want("nobody waits", s.noted("close"), "close neighbours of home")
	}, link(2, "c0"))
}
