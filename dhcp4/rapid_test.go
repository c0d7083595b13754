package dhcp4

import (
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestRapidCommit: option 80 stands in the first DISCOVER and in every other one
// after it, in no other message, and has no value (RFC 4039 section 4).
func TestRapidCommit(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.RapidCommit = on })
		w.tell(LinkUp{})
		w.tell(Start{})
		for n := range 8 {
			m := w.sent()
			if len(m) != 1 || m[0].Type != wire.Discover {
				t.Fatalf("message %d: %+v, want a DISCOVER", n, m)
			}
			p, err := wire.Parse(m[0].Message)
			if err != nil {
				t.Fatal(err)
			}
			v, has := p.Option(wire.OptionRapidCommit)
			if want := on && n%2 == 0; has != want || len(v) != 0 {
				t.Errorf("rapid commit %v, DISCOVER %d: option 80 is %v with %d bytes, want %v", on, n, has, len(v), want)
			}
			w.wait()
		}
		w.reply(w.newReply(wire.Offer))
		p, err := wire.Parse(w.sent()[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		if _, has := p.Option(wire.OptionRapidCommit); has {
			t.Errorf("rapid commit %v: option 80 in a REQUEST", on)
		}
	}
}

// TestRapidCommitAfterHours: a lease that is granted after a long search does not
// count from its beginning.
func TestRapidCommitAfterHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *Config) { cfg.RapidCommit = true })
	w.tell(LinkUp{})
	w.tell(Start{})
	for end := w.now.Add(5 * time.Hour); w.now.Before(end); {
		w.wait()
	}
	r := w.newReply(wire.ACK)
	r.lease = 120
	r.change = func(b *wire.Builder) { b.AddOption(wire.OptionRapidCommit, nil) }
	a, ok := find[Acquired](w.reply(r))
	if !ok || w.now.Sub(a.Lease.Start) > time.Minute {
		t.Fatalf("%+v at %v", w.out, w.now)
	}
}
