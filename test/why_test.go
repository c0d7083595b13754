package test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// story runs `lessee why ADAPTER -o json`.
func story(t *testing.T, d *lab.Daemon, adapter string) lessee.Story {
	t.Helper()
	var s lessee.Story
	r := d.Must(t, "why", adapter, "-o", "json")
	if err := json.Unmarshal([]byte(r.Stdout), &s); err != nil {
		t.Fatalf("%v\n%s", err, r.Stdout)
	}
	return s
}

// facts returns the facts of a story with that code.
func facts(s lessee.Story, code string) []lessee.Fact {
	var all []lessee.Fact
	for _, f := range s.Facts {
		if f.Code == code {
			all = append(all, f)
		}
	}
	return all
}

// tells waits until the story of c0 has a verdict, and until what it says in
// words has the text, too.
func tells(t *testing.T, d *lab.Daemon, verdict, text string) lessee.Story {
	t.Helper()
	var s lessee.Story
	if !lab.Eventually(patience, func() bool { s = story(t, d, "c0"); return s.Verdict.Code == verdict }) {
		t.Fatalf("the verdict is not %q, but %+v\nfacts: %+v\nnext: %+v", verdict, s.Verdict, s.Facts, s.Next)
	}
	if words := d.Must(t, "why", "c0", "-v").Stdout; !strings.Contains(words, text) {
		t.Errorf("the story does not say %q:\n%s", text, words)
	} else {
		t.Logf("\n%s", words)
	}
	return s
}

func TestWhyNoServer(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	_, next := h.cap.AwaitClient(0, patience, discover)
	h.cap.AwaitClient(next, patience, discover)
	s := tells(t, d, "no-answer", "no DHCP server answers")
	open := facts(s, "unanswered")
	if len(open) != 1 || open[0].Message != "DISCOVER" || open[0].Count < 2 || open[0].XID == "" || !open[0].Since.Before(open[0].Time) {
		t.Errorf("unanswered: %+v", open)
	}
	if len(s.Next) == 0 || s.Next[0].Code != "retransmit" || s.Next[0].Message != "DISCOVER" || s.Next[0].Time.Before(s.Time.Add(-time.Second)) {
		t.Errorf("next: %+v", s.Next)
	}
}

func TestWhyNoCarrier(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	tells(t, d, "in-use", "lease of "+a.IPv4.Address.Addr().String()+" from 10.77.0.1 obtained")
	events := d.Events.Mark()
	h.port.Unplug()
	d.AwaitEvent(t, events, patience, lessee.EventNoCarrier)
	s := tells(t, d, "no-link", "no carrier since")
	if s.Verdict.Time.IsZero() || len(facts(s, "no-carrier")) != 1 {
		t.Errorf("%+v", s)
	}
	if err := h.client.SetUp("c0", false); err != nil {
		t.Fatal(err)
	}
	tells(t, d, "down", "'ip link set c0 up'")
}

func TestWhyNAK(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	away := h.Network("away")
	dnsmasq().Start(t, away.Host("other", "10.88.0.1/24"), lab.Config{})
	d, a := h.bound(t)
	h.port.Move(away)
	if !lab.Eventually(patience, func() bool {
		v := d.Show(t, "c0").IPv4
		return v.State == "bound" && prefix("10.88.0.0/24").Contains(v.Address.Addr())
	}) {
		t.Fatal("no lease on the other network")
	}
	s := tells(t, d, "in-use", "NAK from 10.88.0.1 (02:00:00:00:01:")
	if naks := facts(s, "nak"); len(naks) != 1 || naks[0].Detail == "" || naks[0].MAC == "" || naks[0].Server != addr("10.88.0.1") {
		t.Errorf("NAKs: %+v", naks)
	}
	if lost := facts(s, "lost"); len(lost) != 1 || lost[0].Address != a.IPv4.Address.Addr() {
		t.Errorf("lost: %+v", lost)
	}
}

func TestWhyConflict(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	squatter := h.net.Host("squatter", "10.77.0.250/24")
	const taken = "10.77.0.100"
	squatter.AddAddress(t, "s0", taken+"/24")
	link, err := squatter.Net.LinkByName("s0")
	if err != nil {
		t.Fatal(err)
	}
	h.serve(t, dnsmasq(), lab.Config{First: addr(taken), Last: addr(taken)})
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	d.AwaitEvent(t, 0, patience, lessee.EventConflict)
	s := tells(t, d, "in-conflict", taken+" is used by another host, "+link.Attrs().HardwareAddr.String())
	if s.Verdict.Address != addr(taken) || s.Verdict.MAC != link.Attrs().HardwareAddr.String() {
		t.Errorf("%+v", s.Verdict)
	}
	if len(s.Next) == 0 || s.Next[0].Code != "search" || s.Next[0].Time.Sub(s.Time) > 11*time.Second {
		t.Errorf("next: %+v", s.Next)
	}
	declined := false
	for _, f := range facts(s, "sent") {
		declined = declined || f.Message == "DECLINE"
	}
	if !declined {
		t.Errorf("no DECLINE in %+v", s.Facts)
	}
}

func TestWhyReleasedAndResumed(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	address := a.IPv4.Address.Addr()
	d.Crash()
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, State: d.State})
	d.AwaitBound(t, "c0")
	if s := tells(t, d, "in-use", "lease of "+address.String()+" resumed"); len(facts(s, "resumed")) != 1 || len(facts(s, "sent")) > 0 {
		t.Errorf("%+v", s)
	}
	d.Must(t, "renew", "c0")
	tells(t, d, "in-use", "lease of "+address.String()+" renewed by 10.77.0.1")
	d.Must(t, "release", "c0")
	s := tells(t, d, "idle", "nothing until 'lessee renew c0'")
	if s.Verdict.Address != address || s.Verdict.Server != addr("10.77.0.1") || len(s.Next) != 1 || s.Next[0].Code != "await-renew" {
		t.Errorf("%+v", s)
	}
}

// A server that is gone is noticed by its silence; the lease goes on.
func TestWhyServerGone(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.KindByName("dhcpd"), lab.Config{Lease: time.Minute, T1: 3 * time.Second, T2: 40 * time.Second})
	d, a := h.bound(t)
	h.dhcp.Stop(t)
	mark := h.cap.Mark()
	_, next := h.cap.AwaitClient(mark, patience, request)
	h.cap.AwaitClient(next, patience, request)
	s := tells(t, d, "renewing", "REQUESTs sent to 10.77.0.1, no answer since")
	if s.Verdict.Address != a.IPv4.Address.Addr() || len(s.Advice) == 0 || s.Advice[0].Code != "server-gone" {
		t.Errorf("%+v", s)
	}
	if len(s.Next) != 2 || s.Next[0].Code != "retransmit" || s.Next[1].Code != "expiry" {
		t.Errorf("next: %+v", s.Next)
	}
}

// Without a server an address is taken all the same, where the configuration
// says so, and the search goes on.
func TestWhyLinkLocal(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[adapter.c0]\nlink_local = true\n"})
	d.AwaitEvent(t, 0, time.Minute, lessee.EventLinkLocal)
	s := tells(t, d, "without-server", "taken without a server")
	if s.State != "link-local" || !prefix("169.254.0.0/16").Contains(s.Verdict.Address) {
		t.Errorf("%+v", s)
	}
	if len(s.Next) == 0 || s.Next[0].Message != "DISCOVER" {
		t.Errorf("next: %+v", s.Next)
	}
}

func TestWhyNotOurs(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c9"}})
	tells(t, d, "unmanaged", "'lessee up c0' begins to manage it")
	for name, want := range map[string]string{"c9": "awaited", "c8": "absent"} {
		if s := story(t, d, name); s.Verdict.Code != want || s.Index != 0 || s.Manager != "none" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	peer := lab.Peers[0]
	lab.Need(t, peer.Programs...)
	p := peer.Start(t, h.client, "c0")
	s := tells(t, d, "other-manager", peer.Name+" manages this adapter, not this daemon")
	if s.Manager != peer.Name || len(facts(s, "other-found")) != 1 {
		t.Errorf("%+v", s)
	}
	p.Kill()
}
