package netconf_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
)

// TestTranscripts plays the scripts of testdata: what the kernel has, what is
// ours by the record, what is wanted, and what is done. Rewrite them with
// -rewrite.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := &scene{}
			datadriven.RunTest(t, file, s.play)
		})
	}
}

const start = boottime.Instant(time.Hour)

// A scene is a kernel, a record and a wish.
type scene struct {
	kernel netconftest.Kernel
	owned  []netip.Prefix
	want   netconf.Desired
}

func (s *scene) play(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "have": // what the kernel has
		s.kernel = netconftest.Kernel{State: netconf.State{At: start, Link: netconf.Link{Index: 2, Name: "eth0", MTU: 1500, Up: true, Carrier: true}}}
		for line := range strings.Lines(d.Input) {
			s.has(t, d, strings.Fields(line))
		}
		return ""
	case "owned": // what is ours by the record
		s.owned = nil
		for _, p := range strings.Fields(d.Input) {
			s.owned = append(s.owned, prefix(t, d, p))
		}
		return ""
	case "want":
		s.want = netconf.Desired{}
		for line := range strings.Lines(d.Input) {
			switch f := strings.Fields(line); f[0] {
			case "address":
				s.want.Addresses = append(s.want.Addresses, parseAddress(t, d, f[1:]))
			case "route", "unreachable":
				s.want.Routes = append(s.want.Routes, parseRoute(t, d, f))
			case "mtu":
				s.want.MTU = number(t, d, f[1])
			default:
				d.Fatalf(t, "what is %q?", f[0])
			}
		}
		return ""
	case "diff":
		return planText(netconf.Diff(s.kernel.State, s.owned, s.want))
	case "apply": // carry out the plan; refuse=TEXT: the kernel refuses what begins so
		var refused string
		d.MaybeScanArgs(t, "refuse", &refused)
		s.kernel.Refuse = func(op netconf.Op) error {
			if refused != "" && strings.HasPrefix(strings.ReplaceAll(op.String(), " ", "-"), refused) {
				return netconftest.ErrRefused
			}
			return nil
		}
		o := s.kernel.Apply(s.owned, s.want)
		text := stateText(s.kernel.State)
		for _, f := range o.Failed {
			text += fmt.Sprintf("failed: %v\n", f.Op)
		}
		return text + fmt.Sprintf("addresses set: %v\n", o.AddressesSet())
	case "missing":
		var b strings.Builder
		for _, o := range netconf.Missing(s.kernel.State, s.want) {
			fmt.Fprintln(&b, o)
		}
		return b.String()
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return ""
}

func (s *scene) has(t *testing.T, d *datadriven.TestData, f []string) {
	t.Helper()
	switch f[0] {
	case "address":
		s.kernel.Addresses = append(s.kernel.Addresses, parseAddress(t, d, f[1:]))
	case "route", "unreachable":
		r := parseRoute(t, d, f)
		if r.Table == 0 {
			r.Table = netconf.TableMain
		}
		s.kernel.Routes = append(s.kernel.Routes, r)
	case "mtu":
		s.kernel.Link.MTU = number(t, d, f[1])
	case "vrf":
		s.kernel.Link.VRF = uint32(number(t, d, f[1]))
	case "down":
		s.kernel.Link.Up = false
	case "promote_secondaries":
		s.kernel.PromoteSecondaries = true
	default:
		d.Fatalf(t, "what is %q?", f[0])
	}
}

func planText(p netconf.Plan) string {
	var b strings.Builder
	for _, op := range p.Add {
		fmt.Fprintln(&b, "first:", op)
	}
	for _, op := range p.Remove {
		fmt.Fprintln(&b, "then:", op)
	}
	for _, f := range p.Foreign {
		fmt.Fprintln(&b, "foreign: address", f)
	}
	for _, x := range p.Blocked {
		fmt.Fprintf(&b, "blocked: route %v by %v proto %s\n", x.Route, x.By, netconf.ProtocolName(x.By.Protocol))
	}
	for _, r := range p.Waiting {
		fmt.Fprintln(&b, "waiting: route", r)
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

func stateText(s netconf.State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "mtu %d\n", s.Link.MTU)
	if s.PromoteSecondaries {
		b.WriteString("promote_secondaries\n")
	}
	for _, a := range s.Addresses {
		valid, preferred := a.Lifetime.Remaining(s.At)
		fmt.Fprintf(&b, "%s proto %d\n", netconf.AddressLine(a, valid, preferred), a.Protocol)
	}
	for _, r := range s.Routes {
		fmt.Fprintf(&b, "route %v proto %s\n", r, netconf.ProtocolName(r.Protocol))
	}
	return b.String()
}

// parseAddress reads "10.0.0.5/24 valid 100 preferred 50 noprefixroute proto 16".
func parseAddress(t *testing.T, d *datadriven.TestData, f []string) netconf.Address {
	t.Helper()
	a := netconf.Address{Prefix: prefix(t, d, f[0]), Lifetime: netconf.Lifetime{Forever: true}}
	until := func(text string) boottime.Instant {
		return start.Add(time.Duration(number(t, d, text)) * time.Second)
	}
	for i := 1; i < len(f); i++ {
		next := func() string { i++; return f[i] }
		switch f[i] {
		case "valid":
			end := until(next())
			a.Lifetime = netconf.Lifetime{ValidUntil: end, PreferredUntil: end}
		case "preferred":
			a.Lifetime.PreferredUntil = until(next())
		case "ended":
			a.Lifetime = netconf.Lifetime{ValidUntil: start, PreferredUntil: start}
		case "brd":
			a.Broadcast = netip.MustParseAddr(next())
		case "peer":
			a.Peer = netip.MustParseAddr(next())
		case "proto":
			a.Protocol = uint8(number(t, d, next()))
		default:
			at := -1
			for k, name := range netconf.FlagNames {
				if name == f[i] {
					at = k
				}
			}
			if at < 0 {
				d.Fatalf(t, "what is %q?", f[i])
			}
			a.Flags |= 1 << at
		}
	}
	return a
}

// parseRoute reads "route 10.0.0.0/8 via 10.0.0.1 src 10.0.0.5 metric 100 proto 16".
func parseRoute(t *testing.T, d *datadriven.TestData, f []string) netconf.Route {
	t.Helper()
	r := netconf.Route{Destination: prefix(t, d, f[1])}
	if f[0] == "unreachable" {
		r.Type = netconf.Unreachable
	}
	for i := 2; i < len(f); i++ {
		next := func() string { i++; return f[i] }
		switch f[i] {
		case "via":
			r.Router = netip.MustParseAddr(next())
		case "src":
			r.Source = netip.MustParseAddr(next())
		case "metric":
			r.Metric = uint32(number(t, d, next()))
		case "table":
			r.Table = uint32(number(t, d, next()))
		case "dev":
			r.Index = number(t, d, next())
		case "proto":
			r.Protocol = uint8(number(t, d, next()))
		case "onlink":
			r.OnLink = true
		default:
			d.Fatalf(t, "what is %q?", f[i])
		}
	}
	return r
}

func prefix(t *testing.T, d *datadriven.TestData, text string) netip.Prefix {
	t.Helper()
	p, err := netip.ParsePrefix(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return p
}

func number(t *testing.T, d *datadriven.TestData, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return n
}
