package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// What the API, the log and a story say of each kind of event: scripts and
// people know these names and texts.
func TestEventsKeepTheirForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var log bytes.Buffer
		d := New(Config{
			Home: w.home, Store: w, Poller: newPoller(w), Now: w.Now,
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
				Level: slog.LevelDebug,
				ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				},
			})),
		})
		events, cancel := d.hub.subscribe()
		defer cancel()
		lease := &dhcp4.Lease{
			Address: netip.MustParsePrefix("10.77.0.2/16"), Server: netip.MustParseAddr("10.77.255.1"),
			Start: boottime.Instant(time.Minute), Duration: time.Hour, T1: time.Minute, T2: 2 * time.Minute,
		}
		link := netconf.Link{Index: 2, Name: "c0"}
		var out strings.Builder
		for _, k := range []struct {
			name  string
			kind  event.Kind
			state dhcp4.State
		}{
			{"state", event.State, dhcp4.StateSelecting},
			{"state ipv6-only", event.IPv6Only, dhcp4.StateIPv6Only},
			{"bound", event.Bound, dhcp4.StateBound},
			{"resumed", event.Resumed, dhcp4.StateBound},
			{"renewed", event.Renewed, dhcp4.StateBound},
			{"released", event.Released, dhcp4.StateReleased},
			{"expired", event.Expired, dhcp4.StateInit},
			{"nak", event.NAK, dhcp4.StateInit},
			{"conflict", event.Conflict, dhcp4.StateInit},
			{"sent", event.Sent, dhcp4.StateRenewing},
			{"received", event.Received, dhcp4.StateRenewing},
			{"rejected", event.Rejected, dhcp4.StateRenewing},
			{"problem", event.Problem, dhcp4.StateBound},
			{"defended", event.Defended, dhcp4.StateBound},
			{"recognised", event.Recognised, dhcp4.StateRebooting},
			{"link-local", event.LinkLocal, dhcp4.StateSelecting},
			{"informed", event.Informed, dhcp4.StateInformed},
			{"carrier", event.Carrier, dhcp4.StateInit},
			{"no-carrier", event.NoCarrier, dhcp4.StateBound},
		} {
			spare := v4.Note{Kind: k.kind, State: k.state, Lease: lease}
			full := spare
			full.Server, full.Address = netip.MustParseAddr("10.77.0.7"), netip.MustParseAddr("10.77.0.9")
			full.Link, full.XID, full.Message, full.Text = []byte{2, 0, 0, 0, 0, 7}, 0xabcdef01, wire.ACK, "the text"
			full.Why = 0
			if k.kind == event.Rejected {
				full.Why, full.Message, spare.Why = dhcp4.RejectForeignXID, 0, dhcp4.RejectNotReply
			}
			if k.kind == event.Problem {
				spare.Cause = reason.Cause{Reason: reason.NoOwnAddress}
				full.Cause, full.Text = reason.Cause{Reason: reason.LeaseUnsaved, Fault: &reason.Fault{Text: "no space left on device", Errno: 28}}, ""
			}
			fmt.Fprintf(&out, "%s\n", k.name)
			for _, n := range []v4.Note{spare, full} {
				log.Reset()
				d.say(link, n)
				synctest.Wait()
				e := <-events
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				var j event.Journal
				j.Add(w.Now(), core.EntryOf(n))
				var story lessee.Story
				d.tellStory(&story, event.Tell(&j, event.Present{Now: w.Now()}), w.Now())
				facts, err := json.Marshal(story.Facts)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "  event %s\n  log   %s  facts %s\n", text, log.String(), facts)
			}
		}
		golden.Check(t, "events.txt", out.String())
	})
}

// Events are counted for each adapter, and the API shows how often.
func TestEventsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := w.addLink(2, "c0")
		d := w.run(t)
		mustUp(t, d, "c0")
		for range 2 {
			l.Carrier = !l.Carrier
			w.setLink(l)
			synctest.Wait()
		}
		a, err := d.Adapter(t.Context(), "c0")
		if err != nil {
			t.Fatal(err)
		}
		for k, row := range event.All() {
			n, shown := a.IPv4.Counters[row.Counter]
			if shown != (row.Counter != "") {
				t.Errorf("%v: counter %q: %v", k, row.Counter, shown)
			}
			want := map[event.Kind]uint64{event.Managed: 1, event.Bound: 1, event.Carrier: 1, event.NoCarrier: 1}[k]
			if n != want && k != event.Renewed {
				t.Errorf("%v: %d, want %d", k, n, want)
			}
		}
	})
}
