package ipv4ll

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// TestTranscripts plays the exchanges in testdata/transcripts, which read as message charts.
// Rewrite them with: go test ./ipv4ll -run TestTranscripts -rewrite
//
// Commands (each prints what the client did, its state and its next deadline):
//
//	client [never] [mac=N] [seed=N]                       a new client; the clock is at 0
//	start [last=ADDR]                                     Start
//	stop, up, down                                        the inputs of these names
//	request, reply, probe [addr=ADDR] [by=N] [ours] [unicast]   an ARP packet of the host whose link address ends in N (7)
//	                                                      that has (or asks for) ADDR, else the client's
//	wait [N]                                              to the next deadline, N times
//	run D                                                 lets D pass
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
	case "client":
		s.world = newWorld(t, func(cfg *Config) {
			if d.HasArg("never") {
				cfg.Defence = acd.DefendNever
			}
			cfg.HardwareAddr[5] = byte(number(t, d, "mac", 2))
			cfg.Seed = number(t, d, "seed", 1)
		})
		s.epoch = s.now
	case "start":
		in := Start{}
		if v, ok := arg(d, "last"); ok {
			in.Last = netip.MustParseAddr(v)
		}
		s.do(in)
	case "stop":
		s.do(Stop{})
	case "up":
		s.do(LinkUp{})
	case "down":
		s.do(LinkDown{})
	case "request", "reply", "probe":
		s.do(s.packet(t, d))
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

func arg(d *datadriven.TestData, key string) (string, bool) {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) == 1 {
			return a.Vals[0], true
		}
	}
	return "", false
}

func number(t *testing.T, d *datadriven.TestData, key string, otherwise uint64) uint64 {
	v, ok := arg(d, key)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 0, 64)
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	return n
}

func (s *stage) packet(t *testing.T, d *datadriven.TestData) Packet {
	addr := s.c.address
	if v, ok := arg(d, "addr"); ok {
		addr = netip.MustParseAddr(v)
	}
	hw := peerMAC
	hw[5] = byte(number(t, d, "by", uint64(hw[5])))
	p := arp.Announcement(hw, addr)
	switch d.Cmd {
	case "reply":
		p.Op = arp.OpReply
	case "probe":
		p = arp.Probe(hw, addr)
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
		at, _, ok := s.c.Deadline()
		if !ok || at.After(end) {
			break
		}
		if n > 1000 {
			t.Fatalf("%s: the client does not come to rest", d.Pos)
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

// rest says what the client does now.
func (s *stage) rest() string {
	text := "[" + s.c.State().String()
	if a, ok := s.c.Listening(); ok {
		text += ", listening for " + a.String()
	}
	if at, why, ok := s.c.Deadline(); ok {
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
			s.line("--> %v: %v from %v to %v", o.Kind, p.Op, p.Sender, p.Target)
		case Acquired:
			s.line("ACQUIRED %v", o.Address)
		case Lost:
			text := ""
			if o.By != (arp.HardwareAddr{}) {
				text = " with " + mac(o.By)
			}
			s.line("LOST %v: %v%s", o.Address, o.Why, text)
		case Taken:
			s.line("TAKEN %v by %s", o.Address, mac(o.By))
		case Defended:
			s.line("DEFENDED %v against %s", o.Address, mac(o.By))
		}
	}
}

func mac(hw arp.HardwareAddr) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", hw[0], hw[1], hw[2], hw[3], hw[4], hw[5])
}
