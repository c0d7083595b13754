package test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
	"github.com/lessee/lessee/wire/arp"
)

// brief is a lease of 6 s.
var brief = []dhcpv4.Modifier{
	dhcpv4.WithLeaseTime(6),
	dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionRenewTimeValue, []byte{0, 0, 0, 2})),
	dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionRebindingTimeValue, []byte{0, 0, 0, 4})),
}

// TestRecording records what happens on real interfaces, and replays it twice: the
// transcript is the same, and this program does what it did.
func TestRecording(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		options      []dhcpv4.Modifier
		happens      func(t *testing.T, v *villain, d *lab.Daemon)
		want         []string // in the transcript, in this order
	}{
		{
			name: "nak", options: brief,
			happens: func(t *testing.T, v *villain, d *lab.Daemon) {
				v.await("renewing")
				v.refuse("renewing", brief...)
				_, mark := d.AwaitEvent(t, 0, patience, lessee.EventNAK)
				d.AwaitEvent(t, mark, patience, lessee.EventBound)
			},
			want: []string{"say state renewing", "from 10.77.0.1 at 02:00:00:00:01:42: NAK", "say nak 10.77.0.100/24", "apply nothing", "save, no lease", "send DISCOVER", "say bound 10.77.0.100/24"},
		},
		{
			name: "conflict",
			happens: func(t *testing.T, v *villain, d *lab.Daemon) {
				claim := append(append(bytes.Clone(everyone), villainMAC...), 8, 6)
				claim = arp.Append(claim, arp.Announcement(arp.HardwareAddr(villainMAC), addr("10.77.0.100")))
				// The first one is defended against if the address was announced by then.
				if !lab.Eventually(patience, func() bool {
					v.send(claim)
					_, _, ok := d.Events.Wait(0, time.Second, func(e lessee.Event) bool { return e.Kind == lessee.EventConflict })
					return ok
				}) {
					t.Fatal("no conflict")
				}
			},
			want: []string{"ARP on c0 from 02:00:00:00:01:42: announcement of 10.77.0.100", "DECLINE", "say conflict 10.77.0.100/24", "apply nothing"},
		},
		{
			name: "expiry", options: brief,
			happens: func(t *testing.T, v *villain, d *lab.Daemon) {
				v.serve(false)
				_, mark := d.AwaitEvent(t, 0, patience, lessee.EventExpired)
				v.serve(true, brief...)
				d.AwaitEvent(t, mark, time.Minute, lessee.EventBound)
			},
			want: []string{"say state renewing", "say state rebinding", "say expired 10.77.0.100/24", "apply nothing", "say bound 10.77.0.100/24"},
		},
		{
			name: "forcerenew", config: "[defaults]\nforcerenew = true\n", options: []dhcpv4.Modifier{authentication(1, 1, nonceOfServer)},
			happens: func(t *testing.T, v *villain, d *lab.Daemon) {
				a := v.latest()
				v.send(forceRenew(a, 2, make([]byte, 16)))
				d.AwaitEvent(t, 0, patience, lessee.EventRejected)
				v.send(forceRenew(a, 3, nonceOfServer))
				d.AwaitEvent(t, 0, patience, lessee.EventRenewed)
			},
			want: []string{"listen to FORCERENEW", "FORCERENEW", "say rejected", "FORCERENEW", "say state renewing", "say renewed"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, client := newVillain(t)
			v.serve(true, c.options...)
			file := client.Path("recording")
			d := client.ReadyDaemon(t, lab.Options{Args: []string{"--record", file, "c0"}, Config: c.config})
			d.AwaitBound(t, "c0")
			c.happens(t, v, d)
			if err := d.Stop(t); err != nil {
				t.Error(err)
			}

			if s, err := os.Stat(file); err != nil || s.Mode() != 0o600 {
				t.Errorf("the recording: %v, %v", s, err)
			}
			first := client.CLI(t, nil, "replay", file)
			again := client.CLI(t, nil, "replay", file)
			if first.Status != 0 || first.Stderr != "" || strings.Contains(first.Stdout, "differs") {
				t.Errorf("replay: status %d, %s\n%s", first.Status, first.Stderr, first.Stdout)
			}
			if again.Stdout != first.Stdout {
				t.Errorf("the second time it is\n%s", again.Stdout)
			}
			rest := first.Stdout
			for _, w := range c.want {
				_, after, found := strings.Cut(rest, w)
				if !found {
					t.Errorf("%q is missing, or not in this order, in\n%s", w, first.Stdout)
					break
				}
				rest = after
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(hex.EncodeToString(nonceOfServer))) || bytes.Contains(b, nonceOfServer) {
				t.Error("the recording has the server's nonce")
			}
			if dir := os.Getenv("LESSEE_RECORDINGS"); dir != "" { // to be kept
				if err := os.WriteFile(dir+"/"+c.name+".rec", b, 0o600); err != nil {
					t.Error(err)
				}
			}
			// A recording is never written over.
			r := client.CLI(t, nil, "daemon", "--socket", client.Path("other"), "--state", "none", "--run", client.Path("run2"), "--record", file, "c0")
			if r.Status != 1 || !strings.Contains(r.Stderr, "file exists") {
				t.Errorf("a second recording to the file: status %d, %s", r.Status, r.Stderr)
			}
		})
	}
}

// nonceOfServer is the secret of a server that sends FORCERENEWs.
var nonceOfServer = []byte("a server's nonce")

// refuse has the villain answer with a NAK to who asks so, and serve the others.
func (v *villain) refuse(state string, options ...dhcpv4.Modifier) {
	v.serve(true, options...)
	v.mu.Lock()
	defer v.mu.Unlock()
	honest := v.answer
	v.answer = func(a *ask) [][]byte {
		if a.state() != state {
			return honest(a)
		}
		m, err := dhcpv4.NewReplyFromRequest(a.DHCPv4, dhcpv4.WithMessageType(nak), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(addr("10.77.0.1").AsSlice())))
		if err != nil {
			panic(err)
		}
		return [][]byte{dhcpFrame(m.ToBytes())}
	}
}
