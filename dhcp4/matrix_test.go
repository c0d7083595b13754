package dhcp4

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// situations lead a new client to each state, with and without a link or a
// lease where that makes a difference.
var situations = map[string]func(*world){
	"stopped":       func(*world) {},
	"init-unlinked": func(w *world) { w.tell(Start{}) },
	"init-paused": func(w *world) {
		w.bind()
		w.tell(Conflict{Address: testAddr})
	},
	"selecting": func(w *world) { w.tell(LinkUp{}); w.tell(Start{}) },
	"selecting-with-lease": func(w *world) {
		w.bind()
		w.tell(LinkDown{})
		w.tell(LinkUp{})
		w.wait()
		w.wait()
	},
	"selecting-with-memory": func(w *world) {
		w.tell(Start{Lease: w.oldLease()})
		w.tell(LinkUp{})
		w.wait()
		w.wait()
	},
	"requesting": func(w *world) {
		w.tell(LinkUp{})
		w.tell(Start{})
		w.reply(w.newReply(wire.Offer))
	},
	"requesting-for-3s": func(w *world) {
		w.tell(LinkUp{})
		w.tell(Start{})
		w.reply(w.newReply(wire.Offer))
		w.now = w.now.Add(3 * time.Second)
	},
	"bound-receptive": func(w *world) {
		w.c.set(forceRenew, true)
		l := w.oldLease()
		l.Nonce = &Nonce{Replay: 7}
		w.tell(LinkUp{})
		w.tell(Start{Lease: l, InUse: true})
	},
	"bound":          func(w *world) { w.bind() },
	"bound-unlinked": func(w *world) { w.tell(Start{Lease: w.oldLease(), InUse: true}) },
	"bound-forever": func(w *world) {
		l := w.oldLease()
		l.Infinite = true
		w.tell(LinkUp{})
		w.tell(Start{Lease: l, InUse: true})
	},
	"renewing":       func(w *world) { w.bind(); w.wait() },
	"renewing-early": func(w *world) { w.bind(); w.tell(Renew{}) },
	"rebinding": func(w *world) {
		w.bind()
		for w.c.State() != StateRebinding {
			w.wait()
		}
	},
	"init-reboot-unlinked": func(w *world) { w.bind(); w.tell(LinkDown{}) },
	"init-reboot-memory":   func(w *world) { w.tell(Start{Lease: w.oldLease()}) },
	"init-reboot-paused": func(w *world) {
		w.bind()
		for w.c.State() != StateInitReboot || w.c.state.awaited() != nil || !w.c.link {
			w.tell(LinkDown{})
			w.tell(LinkUp{})
		}
	},
	"rebooting":        func(w *world) { w.bind(); w.tell(LinkDown{}); w.tell(LinkUp{}) },
	"rebooting-memory": func(w *world) { w.tell(Start{Lease: w.oldLease()}); w.tell(LinkUp{}) },
	"released":         func(w *world) { w.bind(); w.tell(Release{}) },
	"ipv6-only": func(w *world) {
		w.c.set(ipv6Only, true)
		w.tell(LinkUp{})
		w.tell(Start{})
		r := w.newReply(wire.Offer)
		r.change = func(b *wire.Builder) { b.AddUint32(wire.OptionIPv6OnlyPreferred, 0) }
		w.reply(r)
	},
	"informing-unlinked": func(w *world) { w.tell(StartInform{netip.PrefixFrom(testAddr, 24)}) },
	"informing":          func(w *world) { w.tell(LinkUp{}); w.tell(StartInform{netip.PrefixFrom(testAddr, 24)}) },
	"informed": func(w *world) {
		w.tell(LinkUp{})
		w.tell(StartInform{netip.PrefixFrom(testAddr, 24)})
		w.reply(w.newReply(wire.ACK))
	},
	"released-start": func(w *world) { w.tell(StartReleased{Last: testAddr}) },
}

// oldLease returns a lease of an hour, 10 minutes old.
func (w *world) oldLease() *Lease {
	return &Lease{
		Address: netip.PrefixFrom(testAddr, 24), Server: testServer, ServerLink: testLink,
		ClientID: append([]byte{1}, testMAC...), Start: w.now.Add(-10 * time.Minute),
		Duration: time.Hour, T1: 30 * time.Minute, T2: 50 * time.Minute,
	}
}

// events are all kinds of input, in the order of the table's rows.
var events = []struct {
	name string
	tell func(*world)
}{
	{"start", func(w *world) { w.tell(Start{}) }},
	{"start with a lease", func(w *world) { w.tell(Start{Lease: w.oldLease()}) }},
	{"start in use", func(w *world) { w.tell(Start{Lease: w.oldLease(), InUse: true}) }},
	{"start released", func(w *world) { w.tell(StartReleased{}) }},
	{"start inform", func(w *world) { w.tell(StartInform{netip.PrefixFrom(testAddr, 24)}) }},
	{"stop", func(w *world) { w.tell(Stop{}) }},
	{"link up", func(w *world) { w.tell(LinkUp{}) }},
	{"link down", func(w *world) { w.tell(LinkDown{}) }},
	{"renew", func(w *world) { w.tell(Renew{}) }},
	{"release", func(w *world) { w.tell(Release{}) }},
	{"conflict", func(w *world) { w.tell(Conflict{Address: testAddr}) }},
	{"conflict elsewhere", func(w *world) { w.tell(Conflict{Address: testServer}) }},
	{"remember", func(w *world) {
		l := w.oldLease()
		l.Address = netip.MustParsePrefix("10.88.0.7/24")
		w.tell(Remember{Lease: l})
	}},
	{"forget", func(w *world) { w.tell(Remember{}) }},
	{"confirmed", func(w *world) { w.tell(Confirmed{Lease: w.oldLease()}) }},
	{"confirmed elsewhere", func(w *world) {
		l := w.oldLease()
		l.Address = netip.MustParsePrefix("10.88.0.7/24")
		w.tell(Confirmed{Lease: l})
	}},
	{"timeout early", func(w *world) { w.tell(Timeout{}) }},
	{"timeout", func(w *world) {
		if _, _, ok := w.c.Deadline(); !ok {
			w.tell(Timeout{})
			return
		}
		w.wait()
	}},
	{"a year passes", func(w *world) {
		w.now = w.now.Add(365 * 24 * time.Hour)
		w.tell(Timeout{})
	}},
	{"OFFER", func(w *world) { w.reply(w.newReply(wire.Offer)) }},
	{"ACK", func(w *world) { w.reply(w.newReply(wire.ACK)) }},
	{"ACK of another server", func(w *world) {
		r := w.newReply(wire.ACK)
		r.server = netip.MustParseAddr("10.77.0.2")
		w.reply(r)
	}},
	{"ACK for another address", func(w *world) {
		r := w.newReply(wire.ACK)
		r.your = netip.MustParseAddr("10.77.0.106")
		w.reply(r)
	}},
	{"NAK", func(w *world) { w.reply(w.newReply(wire.NAK)) }},
	{"NAK of another server", func(w *world) {
		r := w.newReply(wire.NAK)
		r.server = netip.MustParseAddr("10.77.0.2")
		w.reply(r)
	}},
	{"NAK of nobody", func(w *world) {
		r := w.newReply(wire.NAK)
		r.without = map[wire.OptionCode]bool{wire.OptionServerID: true}
		w.reply(r)
	}},
	{"foreign", func(w *world) {
		r := w.newReply(wire.ACK)
		r.xid ^= 1
		w.reply(r)
	}},
	{"malformed", func(w *world) { w.tell(Datagram{Message: []byte{2}}) }},
	{"nothing", func(w *world) { w.tell(nil) }},
}

// TestMatrix tells every kind of input in every state; testdata/matrix says what
// comes of it. Rewrite with: go test ./dhcp4 -run TestMatrix -rewrite
func TestMatrix(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	datadriven.RunTest(t, "testdata/matrix", func(t *testing.T, d *datadriven.TestData) string {
		reach := situations[d.Cmd]
		if reach == nil {
			t.Fatalf("%s: no such situation", d.Pos)
		}
		seen[d.Cmd] = true
		var text strings.Builder
		for _, e := range events {
			w := newWorld(t, nil)
			reach(w)
			w.out = nil
			e.tell(w)
			fmt.Fprintf(&text, "%-24s %s\n", e.name, w.summary())
		}
		return text.String()
	})
	for _, s := range slices.Sorted(maps.Keys(situations)) {
		if !seen[s] {
			t.Errorf("testdata/matrix lacks %s", s)
		}
	}
}

// summary names what the client did and where it is then.
func (w *world) summary() string {
	var did []string
	for _, o := range w.out {
		switch o := o.(type) {
		case Transmit:
			to := "broadcast"
			if o.Destination != broadcast {
				to = "unicast"
			}
			did = append(did, fmt.Sprintf("%v %s", o.Type, to))
		case Acquired:
			what := "acquired"
			if o.Renewed {
				what = "acquired again"
			}
			did = append(did, what)
		case Lost:
			did = append(did, "lost: "+o.Why.String())
		case Done:
			what := "done " + o.Op.String()
			if o.Err != nil {
				what += ": " + strings.TrimPrefix(o.Err.Error(), "dhcp4: ")
			}
			did = append(did, what)
		case Moved:
			did = append(did, "to "+o.To.String())
		case AutoConfigure:
			did = append(did, "auto-configure")
		case Informed:
			did = append(did, "informed")
		case Offered:
			did = append(did, "offered")
		case Received:
		case Dropped:
			did = append(did, "dropped: "+o.Why.String())
		}
	}
	if len(did) == 0 {
		did = []string{"-"}
	}
	text := strings.Join(did, ", ") + "  [" + w.c.State().String()
	if _, ok := w.c.Lease(); ok {
		text += ", leased"
	}
	if _, why, ok := w.c.Deadline(); ok {
		text += ", " + why.String()
	}
	if w.c.Awaiting() {
		text += ", awaiting"
	}
	return text + "]"
}
