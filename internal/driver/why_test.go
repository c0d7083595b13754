package driver

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/linux/packet"
)

// told is a story in short: the verdict, the facts with their numbers, and what
// comes next.
func told(t *testing.T, d *Driver, name string) string {
	t.Helper()
	s, err := d.Why(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var facts, next []string
	for _, f := range s.Facts {
		text := f.Code
		if f.Message != "" {
			text += " " + f.Message
		}
		if f.Count > 1 {
			text += fmt.Sprintf(" x%d", f.Count)
		}
		facts = append(facts, text)
	}
	for _, f := range s.Next {
		next = append(next, strings.TrimSpace(f.Code+" "+f.Message))
	}
	return fmt.Sprintf("%s %s: %s: %s; %s", s.Manager, s.State, s.Verdict.Code, strings.Join(facts, ", "), strings.Join(next, ", "))
}

func TestWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := w.addLink(2, "c0")
		d := w.run(t)
		expect := func(when, want string) {
			t.Helper()
			synctest.Wait()
			if got := told(t, d, "c0"); got != want {
				t.Errorf("%s:\n got %s\nwant %s", when, got, want)
			}
		}
		expect("before", "none disabled: unmanaged: ; ")
		mustUp(t, d, "c0")
		const dora = "managed, sent DISCOVER, received OFFER, sent REQUEST, received ACK, bound"
		expect("bound", "lessee bound: in-use: "+dora+"; renewal, expiry")
		if s, _ := d.Why(t.Context(), "c0"); s.Facts[2].MAC != "02:00:00:00:00:01" || !s.Facts[5].Server.IsValid() || s.Facts[1].XID == "" || s.Next[0].Time.Sub(s.Time) < 25*time.Minute {
			t.Errorf("%+v", s)
		}
		time.Sleep(45 * time.Minute)
		expect("renewed", "lessee bound: in-use: "+dora+", sent REQUEST, received ACK, renewed; renewal, expiry")
		time.Sleep(24 * time.Hour)
		a, err := d.Adapter(t.Context(), "c0")
		if err != nil {
			t.Fatal(err)
		}
		renewals := a.IPv4.Counters["received.ack"] - 1 // the first ACK gave the lease
		expect("a day later", fmt.Sprintf("lessee bound: in-use: %s, sent REQUEST, received ACK, renewed x%d; renewal, expiry", dora, renewals))
		if err := d.Release(t.Context(), "c0"); err != nil {
			t.Fatal(err)
		}
		expect("released", fmt.Sprintf("lessee released: idle: %s, sent REQUEST, received ACK, renewed x%d, sent RELEASE, released; await-renew", dora, renewals))
		l.Carrier = false
		w.setLink(l)
		synctest.Wait()
		if got := told(t, d, "c0"); !strings.HasPrefix(got, "lessee released: no-link: ") || !strings.HasSuffix(got, "released, no-carrier; await-carrier") {
			t.Errorf("without carrier: %s", got)
		}
		if err := d.Down(t.Context(), "c0", false); err != nil {
			t.Fatal(err)
		}
		expect("after down", "none disabled: unmanaged: ; ")
	})
}

func TestWhySilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.silent = true
		w.addLink(2, "c0")
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		s, err := d.Why(t.Context(), "c0")
		if err != nil {
			t.Fatal(err)
		}
		f := s.Facts[len(s.Facts)-1]
		if s.Verdict.Code != "no-answer" || f.Code != "unanswered" || f.Count != 4 || s.Time.Sub(f.Since).Round(time.Second) != 12*time.Second {
			t.Errorf("verdict %+v, last fact %+v", s.Verdict, f)
		}
		if n := s.Next[0]; n.Code != "retransmit" || n.Time.Before(s.Time) || n.Time.Sub(s.Time) > 9*time.Second {
			t.Errorf("next %+v", n)
		}
	})
}

func TestWhyNotManaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		if got := told(t, d, "c9"); got != "none disabled: absent: ; " {
			t.Errorf("no adapter: %s", got)
		}
		if got := told(t, d, "lo"); got != "none disabled: absent: ; " {
			t.Errorf("loopback: %s", got)
		}
		if err := d.Manage("c9"); err != nil {
			t.Fatal(err)
		}
		if got := told(t, d, "c9"); got != "none disabled: awaited: ; await-adapter" {
			t.Errorf("no adapter yet: %s", got)
		}
		w.mu.Lock()
		w.manager = "dhcpcd"
		w.mu.Unlock()
		s, err := d.Why(t.Context(), "c0")
		if err != nil || s.Verdict.Code != "other-manager" || s.Verdict.Detail != "dhcpcd" || s.Facts[0].Detail != "pid 7 has UDP port 68 open" {
			t.Errorf("another manager: %+v, %v", s, err)
		}
		w.mu.Lock()
		w.manager = ""
		w.claimed[3] = true
		w.mu.Unlock()
		w.addLink(3, "c9")
		synctest.Wait()
		if s, err := d.Why(t.Context(), "c9"); err != nil || s.Verdict.Code != "hindered" || s.Verdict.Detail != "another lessee daemon manages this adapter" {
			t.Errorf("cannot be managed: %+v, %v", s, err)
		}
	})
}

// What the kernel and the disk refuse is told, while it lasts and afterwards.
func TestWhyProblem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.applyErr = errors.New("no memory")
		d := w.run(t)
		if err := d.Manage("c0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		s, err := d.Why(t.Context(), "c0")
		if err != nil || !slices.ContainsFunc(s.Facts, func(f lessee.Fact) bool { return f.Code == "problem" && f.Detail == "no memory" }) {
			t.Errorf("%+v, %v", s, err)
		}
		if n := len(s.Advice); n == 0 || s.Advice[n-1].Code != "solve" || s.Advice[n-1].Detail != "no memory" {
			t.Errorf("advice %+v", s.Advice)
		}
	})
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		w.addLink(3, "c1")
		d := w.run(t)
		mustUp(t, d, "c0")
		before, _ := d.Adapter(t.Context(), "c0")
		for _, name := range []string{"c0", "c1"} { // managed or not
			began := time.Now()
			found, err := d.Discover(t.Context(), name, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("%s: took %v", name, took)
			}
			if found.Sent != 3 || len(found.Offers) != 1 || len(found.Flags) != 0 || len(found.Offers[0].Flags) != 0 {
				t.Errorf("%s: %+v", name, found)
				continue
			}
			o := found.Offers[0]
			if o.Server != netip.MustParseAddr("10.77.255.1") || o.MAC != "02:00:00:00:00:01" || o.After != lessee.Duration(time.Millisecond) || o.Lease != lessee.Duration(time.Hour) ||
				o.Address != netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, 0, byte(found.Index)}), 16) {
				t.Errorf("%s: %+v", name, o)
			}
		}
		after, _ := d.Adapter(t.Context(), "c0")
		for name, n := range after.IPv4.Counters {
			if n != before.IPv4.Counters[name] {
				t.Errorf("%s went from %d to %d", name, before.IPv4.Counters[name], n)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.open != 0 {
			t.Errorf("%d exchanges are open", w.open)
		}
	})
}

func TestDiscoverRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := w.addLink(2, "c0")
		d := w.run(t)
		for _, tc := range []struct {
			name   string
			during time.Duration
			want   errno.Errno
		}{
			{"c9", time.Minute, errno.ERROR_FILE_NOT_FOUND},
			{"lo", time.Minute, errno.ERROR_NOT_SUPPORTED},
			{"c0", time.Millisecond, errno.ERROR_INVALID_PARAMETER},
			{"c0", 2 * time.Hour, errno.ERROR_INVALID_PARAMETER},
		} {
			if _, err := d.Discover(t.Context(), tc.name, tc.during); code(err) != tc.want {
				t.Errorf("%s for %v: %v, want %v", tc.name, tc.during, err, tc.want)
			}
		}
		done := make(chan error)
		go func() { _, err := d.Discover(t.Context(), "c0", time.Minute); done <- err }()
		time.Sleep(time.Second)
		if _, err := d.Discover(t.Context(), "c0", time.Minute); code(err) != errno.ERROR_BUSY {
			t.Errorf("a second one: %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		l.Carrier = false
		w.setLink(l)
		if _, err := d.Discover(t.Context(), "c0", time.Minute); code(err) != errno.ERROR_NO_NETWORK {
			t.Errorf("without carrier: %v", err)
		}
	})
}

func offer(server, from, address, router, relay string) *dhcp4.Offer {
	parse := func(s string) netip.Addr {
		if s == "" {
			return netip.Addr{}
		}
		return netip.MustParseAddr(s)
	}
	o := &dhcp4.Offer{From: parse(from), Lease: dhcp4.Lease{Server: parse(server), Relay: parse(relay), ServerLink: []byte{2, 0, 0, 0, 0, 1}}}
	o.Lease.Address = netip.MustParsePrefix(address)
	if router != "" {
		o.Lease.Routers = []netip.Addr{parse(router)}
	}
	return o
}

func TestFlags(t *testing.T) {
	t.Parallel()
	lease := &dhcp4.Lease{Server: netip.MustParseAddr("10.0.0.1")}
	refused := offer("10.0.0.1", "10.0.0.1", "10.0.0.9/24", "", "")
	refused.Refusal = dhcp4.RejectNoLeaseTime
	for name, tc := range map[string]struct {
		o     *dhcp4.Offer
		lease *dhcp4.Lease
		want  []string
	}{
		"as usual":           {offer("10.0.0.1", "10.0.0.1", "10.0.0.9/24", "10.0.0.1", ""), lease, nil},
		"another server":     {offer("10.0.0.2", "10.0.0.2", "10.0.0.9/24", "10.0.0.1", ""), lease, []string{"other-server"}},
		"by a relay":         {offer("10.9.0.1", "10.0.0.254", "10.0.0.9/24", "10.0.0.254", "10.0.0.254"), nil, []string{"relay"}},
		"by a private relay": {offer("10.9.0.1", "192.168.0.1", "203.0.113.9/24", "", "192.168.0.1"), nil, []string{"relay", "private-relay", "foreign-relay"}},
		"mismatch":           {offer("10.0.0.1", "10.0.0.7", "10.0.0.9/24", "", ""), nil, []string{"server-mismatch"}},
		"foreign":            {offer("10.9.0.1", "10.9.0.1", "10.0.0.9/24", "10.8.0.1", ""), nil, []string{"foreign-server", "foreign-router"}},
		"without a network":  {offer("10.9.0.1", "10.9.0.1", "10.0.0.9/32", "10.8.0.1", ""), nil, nil},
		"refused":            {refused, nil, []string{"unusable"}},
	} {
		if got := flagsOf(tc.o, tc.lease); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	twin := offer("10.0.0.1", "10.0.0.1", "10.0.0.9/24", "", "")
	twin.Lease.ServerLink = []byte{2, 0, 0, 0, 0, 9}
	one := offer("10.0.0.1", "10.0.0.1", "10.0.0.8/24", "", "")
	other := offer("10.1.0.1", "10.1.0.1", "10.1.0.8/24", "", "")
	for name, tc := range map[string]struct {
		list []*dhcp4.Offer
		want []string
	}{
		"none":        {nil, nil},
		"one":         {[]*dhcp4.Offer{one}, nil},
		"two":         {[]*dhcp4.Offer{one, other}, []string{"several-servers", "different-subnets"}},
		"a twin":      {[]*dhcp4.Offer{one, twin}, []string{"duplicate-server"}},
		"all of them": {[]*dhcp4.Offer{one, twin, other}, []string{"several-servers", "different-subnets", "duplicate-server"}},
	} {
		if got := flagsOfAll(tc.list); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		d := w.run(t)
		captures := func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.captures
		}
		frames, cancel, err := d.Trace(t.Context(), "c0", true)
		if err != nil || captures() != 1 {
			t.Fatalf("%v, %d captures", err, captures())
		}
		// A reader that does not keep up is told what it lost: what the kernel
		// had no room for, and what the queue had not.
		for i := range traceBacklog + 10 {
			w.frames(packet.Frame{Time: time.Unix(int64(i), 0), Length: i})
		}
		for i := range traceBacklog {
			if f := <-frames; f.Length != i || f.Lost != 0 {
				t.Fatalf("frame %d is %+v", i, f)
			}
		}
		w.frames(packet.Frame{Outgoing: true, Data: []byte{1}, Length: 60, Dropped: 5})
		if f := <-frames; f.Lost != 15 || !f.Outgoing || f.Length != 60 || len(f.Data) != 1 {
			t.Errorf("%+v", f)
		}
		cancel()
		cancel()
		if _, open := <-frames; open || captures() != 0 {
			t.Errorf("after its end: open %v, %d captures", open, captures())
		}
		w.frames(packet.Frame{}) // one may be under way

		frames, cancel, err = d.Trace(t.Context(), "c0", false)
		if err != nil {
			t.Fatal(err)
		}
		w.removeLink(2)
		if _, open := <-frames; open || captures() != 0 {
			t.Errorf("after the adapter: open %v, %d captures", open, captures())
		}
		cancel()
		if _, _, err := d.Trace(t.Context(), "c0", false); code(err) != errno.ERROR_FILE_NOT_FOUND {
			t.Errorf("no adapter: %v", err)
		}
		w.addLink(3, "c1")
		for range maxTraces {
			if _, _, err := d.Trace(t.Context(), "c1", false); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := d.Trace(t.Context(), "c1", false); code(err) != errno.ERROR_BUSY || captures() != maxTraces {
			t.Errorf("too many: %v, %d captures", err, captures())
		}
	})
}

// TestTraceAtTheDriversEnd: a reader is told that the adapter went, by the end
// of its frames, only where it did.
func TestTraceAtTheDriversEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.addLink(2, "c0")
		var frames <-chan lessee.Frame
		t.Cleanup(func() { // after the driver's end
			select {
			case <-frames:
				t.Error("the frames ended")
			default:
			}
			if w.captures != 0 {
				t.Errorf("%d captures are left", w.captures)
			}
		})
		d := w.run(t)
		var err error
		if frames, _, err = d.Trace(t.Context(), "c0", false); err != nil {
			t.Fatal(err)
		}
	})
}

// Each flag is explained, and has words on the command line.
func TestFlagsAreDocumented(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	doc, words := read("../../docs/api.md"), read("../cli/discover.go")
	flags := regexp.MustCompile(`\tflag\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(read("flags.go"), -1)
	if len(flags) < 10 {
		t.Errorf("only %d flags found", len(flags))
	}
	for _, f := range flags {
		if !strings.Contains(doc, "| `"+f[1]+"` |") || !strings.Contains(words, `case "`+f[1]+`":`) {
			t.Errorf("%s has no line in docs/api.md, or no words", f[1])
		}
	}
}
