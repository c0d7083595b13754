package dna

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// TestTranscripts plays the exchanges in testdata/transcripts, which read as message charts.
// Rewrite them with: go test ./dna -run TestTranscripts -rewrite
//
// Commands (each prints what the prober did, what it listens for and its next deadline):
//
//	prober                                  a new prober; the clock is at 0
//	start [N...]                            Start with candidates: 10.N.0.5 with router 10.N.0.1, whose link address ends in 01:N
//	    N@ADDR                              with that address of ours; N%ADDR with that router; N+BYTES with that router's link address
//	learn ADDR ROUTER                       Learn
//	stop, timeout                           the inputs of these names
//	reply N [from=ADDR] [to=ADDR] [by=BYTES] [for=BYTES]   what candidate N's router answers, but for
//	request N                               the same as a request
//	raw HEX                                 any packet
//	wait [N]                                to the next deadline, N times
//	run D                                   lets D pass
func TestTranscripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		s := &stage{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.play(t, d)
		})
	})
}

type stage struct {
	*world
	epoch boottime.Instant
	text  strings.Builder
}

func (s *stage) play(t *testing.T, d *datadriven.TestData) string {
	s.text.Reset()
	if s.world != nil {
		s.t = t
	}
	switch d.Cmd {
	case "prober":
		s.world = newWorld(t)
		s.epoch = s.now
	case "start":
		var in Start
		for _, a := range d.CmdArgs {
			in.Candidates = append(in.Candidates, candidate(t, a.Key))
		}
		s.do(in)
	case "learn":
		s.do(Learn{netip.MustParseAddr(d.CmdArgs[0].Key), netip.MustParseAddr(d.CmdArgs[1].Key)})
	case "stop":
		s.do(Stop{})
	case "timeout":
		s.do(Timeout{})
	case "reply", "request":
		p := answer(candidate(t, d.CmdArgs[0].Key))
		if d.Cmd == "request" {
			p.Op = arp.OpRequest
		}
		for _, a := range d.CmdArgs[1:] {
			switch a.Key {
			case "from":
				p.Sender = netip.MustParseAddr(a.Vals[0])
			case "to":
				p.Target = netip.MustParseAddr(a.Vals[0])
			case "by":
				p.SenderHardware = link(t, a.Vals[0])
			case "for":
				p.TargetHardware = link(t, a.Vals[0])
			default:
				t.Fatalf("%s: unknown argument %s", d.Pos, a.Key)
			}
		}
		s.do(packet(p))
	case "raw":
		b, err := hex.DecodeString(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.do(Packet{ARP: b})
	case "wait":
		n := 1
		if len(d.CmdArgs) > 0 {
			n, _ = strconv.Atoi(d.CmdArgs[0].Key)
		}
		for range n {
			s.wait()
			s.show()
		}
	case "run":
		s.run(t, d)
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	s.line("%s", s.rest())
	return s.text.String()
}

func candidate(t *testing.T, text string) Candidate {
	end := func(s string) int {
		if i := strings.IndexAny(s, "@%+"); i >= 0 {
			return i
		}
		return len(s)
	}
	n, err := strconv.ParseUint(text[:end(text)], 10, 8)
	if err != nil {
		t.Fatal(err)
	}
	c := home(byte(n))
	for text = text[end(text):]; text != ""; {
		kind, rest := text[0], text[1:]
		value := rest[:end(rest)]
		switch kind {
		case '@':
			c.Address = netip.MustParseAddr(value)
		case '%':
			c.Router = netip.MustParseAddr(value)
		case '+':
			c.RouterLink = link(t, value)
		}
		text = rest[len(value):]
	}
	return c
}

func link(t *testing.T, text string) arp.HardwareAddr {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 6 {
		t.Fatalf("%q is not a link address", text)
	}
	return arp.HardwareAddr(b)
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) {
	by, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	end := s.now.Add(by)
	for n := 0; ; n++ {
		at, _, ok := s.p.Deadline()
		if !ok || at.After(end) {
			break
		}
		if n > 100 {
			t.Fatalf("%s: the prober does not come to rest", d.Pos)
		}
		s.wait()
		s.show()
	}
	s.now = end
}

func (s *stage) do(in Input) {
	s.tell(in)
	s.show()
}

// rest says what the prober does now.
func (s *stage) rest() string {
	text := "[at rest"
	if all := s.p.Addresses(); len(all) > 0 {
		text = fmt.Sprintf("[listening for %v", all)
	}
	if at, why, ok := s.p.Deadline(); ok {
		text += fmt.Sprintf("; %v at %s", why, s.clock(at))
	}
	return text + "]"
}

func (s *stage) clock(at boottime.Instant) string {
	return fmt.Sprintf("%.2fs", at.Sub(s.epoch).Seconds())
}

func (s *stage) line(format string, args ...any) {
	fmt.Fprintf(&s.text, "%8s  %s\n", s.clock(s.now), fmt.Sprintf(format, args...))
}

// show writes the outputs of the last input.
func (s *stage) show() {
	for _, o := range s.out {
		switch o := o.(type) {
		case Transmit:
			p, err := arp.Parse(o.Packet)
			if err != nil {
				s.t.Fatal(err)
			}
			to := "all"
			if o.To != nil {
				to = mac(o.To)
			}
			s.line("--> to %s: %v from %s %v to %s %v", to, p.Op, mac(p.SenderHardware[:]), p.Sender, mac(p.TargetHardware[:]), p.Target)
		case Confirmed:
			s.line("CONFIRMED candidate %d", o.Candidate)
		case Silent:
			s.line("SILENT")
		case Learned:
			s.line("LEARNED %v is %s", o.Router, mac(o.Link[:]))
		}
	}
}

func mac(b []byte) string {
	var parts []string
	for _, v := range b {
		parts = append(parts, fmt.Sprintf("%02x", v))
	}
	return strings.Join(parts, ":")
}
