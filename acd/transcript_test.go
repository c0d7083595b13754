package acd

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
// Rewrite them with: go test ./acd -run TestTranscripts -rewrite
//
// Commands (each prints what the detector did, its state and its next deadline):
//
//	detector [quick] [defence=once|never|always] [seed=N]   a new detector of RFC 5227's timing; the clock is at 0
//	start ADDR [optimistic]                                 Start
//	stop, up, down                                          the inputs of these names
//	request, reply from=ADDR [to=ADDR] [by=N] [ours] [unicast]   an ARP packet, of the host whose link address ends in N (7)
//	raw HEX                                                 any packet
//	timeout                                                 Timeout, now
//	wait [N]                                                to the next deadline, N times
//	run D                                                   lets D pass
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
	case "detector":
		s.world = newWorld(t, func(cfg *Config) { configure(t, d, cfg) })
		s.epoch = s.now
	case "start":
		in := Start{Address: netip.MustParseAddr(d.CmdArgs[0].Key)}
		if d.HasArg("optimistic") {
			in.Mode = Optimistic
		}
		s.do(in)
	case "stop":
		s.do(Stop{})
	case "up":
		s.do(LinkUp{})
	case "down":
		s.do(LinkDown{})
	case "request":
		s.do(packet(t, d, arp.OpRequest))
	case "reply":
		s.do(packet(t, d, arp.OpReply))
	case "raw":
		b, err := hex.DecodeString(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.do(Packet{ARP: b})
	case "timeout":
		s.do(Timeout{})
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

func configure(t *testing.T, d *datadriven.TestData, cfg *Config) {
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "quick":
			cfg.Timing = DefaultTiming
		case "defence":
			for cfg.Defence = 0; cfg.Defence.String() != a.Vals[0]; cfg.Defence++ {
				if cfg.Defence > DefendAlways {
					t.Fatalf("%s: unknown defence", d.Pos)
				}
			}
		case "seed":
			cfg.Seed, _ = strconv.ParseUint(a.Vals[0], 10, 64)
		default:
			t.Fatalf("%s: unknown argument %s", d.Pos, a.Key)
		}
	}
}

func packet(t *testing.T, d *datadriven.TestData, op arp.Op) Packet {
	p := arp.Packet{Op: op, SenderHardware: peerMAC, Target: testAddr}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "from":
			p.Sender = netip.MustParseAddr(a.Vals[0])
		case "to":
			p.Target = netip.MustParseAddr(a.Vals[0])
		case "by":
			n, err := strconv.ParseUint(a.Vals[0], 0, 8)
			if err != nil {
				t.Fatal(err)
			}
			p.SenderHardware[5] = byte(n)
		case "ours", "unicast":
		default:
			t.Fatalf("%s: unknown argument %s", d.Pos, a.Key)
		}
	}
	return Packet{ARP: arp.Append(nil, p), Ours: d.HasArg("ours"), Unicast: d.HasArg("unicast")}
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) {
	by, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	end := s.now.Add(by)
	for n := 0; ; n++ {
		at, _, ok := s.d.Deadline()
		if !ok || at.After(end) {
			break
		}
		if n > 1000 {
			t.Fatalf("%s: the detector does not come to rest", d.Pos)
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

// rest says what the detector does now.
func (s *stage) rest() string {
	text := "[" + s.d.State().String()
	if a := s.d.Address(); a.IsValid() {
		text += ", " + a.String()
	}
	if !s.d.Listening() {
		text += ", deaf"
	}
	if at, why, ok := s.d.Deadline(); ok {
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
			s.line("--> %v: %v from %s %v to %s %v", o.Kind, p.Op, mac(p.SenderHardware), p.Sender, mac(p.TargetHardware), p.Target)
		case Clear:
			s.line("CLEAR %v", o.Address)
		case Conflict:
			s.line("CONFLICT %v by %s", o.Address, mac(o.By))
		case Defended:
			s.line("DEFENDED %v against %s", o.Address, mac(o.By))
		}
	}
}

func mac(hw arp.HardwareAddr) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", hw[0], hw[1], hw[2], hw[3], hw[4], hw[5])
}
