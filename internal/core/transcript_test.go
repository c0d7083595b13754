package core

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/wire/arp"
)

// TestTranscripts plays the scripts of testdata: what happens to the adapters of a
// machine, and what is done about it. Rewrite them with -rewrite.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			datadriven.RunTest(t, file, newScene().play)
		})
	}
}

var verbs = map[string]tenancy.Verb{"renew": tenancy.Renew, "release": tenancy.Release, "down": tenancy.End, "down-keep": tenancy.EndKeep}

func (s *scene) play(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	index, ns := 0, 0
	d.MaybeScanArgs(t, "index", &index)
	d.MaybeScanArgs(t, "ns", &ns)
	deadline := s.now.Add(20 * time.Second)
	switch d.Cmd {
	case "link":
		l := netconf.Link{Index: index, Name: name, HardwareType: 1, MTU: 1500, Up: true, Carrier: !d.HasArg("down"), HardwareAddr: []byte{2, 0, 0, 0, 0, byte(index)}}
		if d.HasArg("new-address") {
			l.HardwareAddr[0] = 6
		}
		l.Loopback = d.HasArg("loopback")
		alt := ""
		if d.MaybeScanArgs(t, "alt", &alt); alt != "" {
			l.AltNames = []string{alt}
		}
		s.links[index] = l
		if !d.HasArg("untold") {
			s.tell(LinkChanged{NS: NS(ns), Link: l})
		}
	case "gone":
		l := s.links[index]
		delete(s.links, index)
		s.tell(LinkChanged{NS: NS(ns), Link: l, Gone: true})
	case "manage":
		s.calls++
		s.tell(Manage{Call: s.calls, NS: NS(ns), Name: name})
	case "call":
		s.calls++
		who := d.CmdArgs[1].Key
		if name != "up" {
			s.tell(Call{Call: s.calls, NS: NS(ns), Name: who, Verb: verbs[name], Deadline: deadline})
			break
		}
		for _, l := range s.links {
			if l.Name == who {
				s.tell(Up{Call: s.calls, NS: NS(ns), Link: l, Deadline: deadline})
			}
		}
	case "discover":
		s.calls++
		s.tell(Discover{Call: s.calls, NS: NS(ns), Name: name, During: 2 * time.Second})
	case "cancel":
		var id uint64
		d.ScanArgs(t, "id", &id)
		s.tell(Cancel{Call: id})
	case "prepared":
		s.tell(s.isPrepared(d, s.prepare[name].of))
	case "serve": // the server answers the last message
		if err := s.serve(s.sent[name]); err != nil {
			d.Fatalf(t, "%v", err)
		}
	case "resolver-answers":
		s.resolver = map[string]promptness{"later": later, "at-once": atOnce}[name]
	case "kernel":
		s.prompt = map[string]promptness{"later": later, "at-once": atOnce}[name]
	case "applied":
		o := s.applied[name]
		s.tell(Applied{Of: o.of.Of, Turn: o.of.Turn, What: tenancy.Report(o.seq, netconf.Outcome{})})
	case "unresolved":
		s.unresolved, _ = netip.ParseAddr(name)
	case "deaf":
		s.deaf = map[string]error{"buffers": errors.New("no buffer space available"), "link": netconf.ErrLinkDown}[name]
	case "disk":
		s.disk = map[string]error{"full": errors.New("no space left on device")}[name]
	case "arp": // another host asks for the address
		mac := []byte{2, 0, 0, 0, 0, 99}
		ours := 0
		if d.MaybeScanArgs(t, "ours", &ours); ours != 0 {
			mac = s.links[ours].HardwareAddr
		}
		p := arp.Append(nil, arp.Packet{Op: arp.OpRequest, SenderHardware: arp.HardwareAddr(mac), Sender: netip.MustParseAddr(name), Target: netip.MustParseAddr(name)})
		s.tell(ARP{ID: ID{NS(ns), index}, Packet: p, From: mac})
	case "neighbour":
		in := Neighbour{ID: ID{NS(ns), index}, Link: []byte{2, 0, 0, 0, 0, 99}}
		if name != "any" {
			in.Host = netip.MustParseAddr(name)
		}
		s.tell(in)
	case "left":
		s.tell(Left{NS: NS(ns)})
	case "disturbed":
		s.tell(Disturbed{})
	case "resolver":
		s.tell(ResolverChanged{File: name})
	case "resolved":
		in := s.resolve[name]
		if d.HasArg("failed") {
			in.Err = errors.New("read-only file system")
		}
		s.tell(in)
	case "persisted":
		s.tell(Persisted{Name: name, Err: errors.New("no space left on device")})
	case "advance":
		by, err := time.ParseDuration(name)
		if err == nil {
			err = s.advance(by)
		}
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
	case "view":
		v := s.core.View(ID{NS(ns), index})
		fmt.Fprintf(&s.out, "of %d %s refused=%q problem=%q\n", v.Of, v.Status.State, &v.Refused, &v.Status.Problem)
	case "why":
		p, j, _ := s.core.Present(s.now, NS(ns), name)
		story := event.Tell(&j, p)
		fmt.Fprintf(&s.out, "%s\n", story.Verdict.Code)
	default:
		d.Fatalf(t, "no command %q", d.Cmd)
	}
	return s.out.String()
}

// isPrepared is the answer that a script gives to a Prepare.
func (s *scene) isPrepared(d *datadriven.TestData, of Adapter) Prepared {
	in := Prepared{Of: of.Of, Turn: of.Turn, ID: of.ID, Link: of.Link, Record: v4.Record{Up: d.HasArg("up-on-record")}}
	if d.HasArg("without-carrier") {
		in.Link.Carrier = false
	}
	if d.HasArg("with-carrier") {
		in.Link.Carrier = true
	}
	if d.HasArg("unreadable") {
		in.Unreadable = errors.New("permission denied")
	}
	if d.HasArg("refused") {
		in.Refusal = Refusal{Code: errno.ERROR_BUSY, Cause: reason.Cause{Reason: reason.AnotherClient, Manager: "dhcpcd", How: "it runs"}}
	}
	if d.HasArg("failed") {
		err := errors.New("operation not permitted")
		in.Refusal = Refusal{errno.ERROR_GEN_FAILURE, reason.Cause{Reason: reason.SystemFailed}, err}
	}
	return in
}
