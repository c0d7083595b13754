package dhcp4_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/wire/dhcp4"
)

// Generators are made anew for each test: rapid's are not safe for parallel use.
func genAddr() *rapid.Generator[netip.Addr] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 4, 4), func(b []byte) netip.Addr {
		return netip.AddrFrom4([4]byte(b))
	})
}

type option struct {
	code  dhcp4.OptionCode
	value []byte
}

// genOption leaves out PAD and END, and those that Parse looks into.
func genOption() *rapid.Generator[option] {
	return rapid.Custom(func(t *rapid.T) option {
		code := rapid.Uint8Range(1, 254).Filter(func(c uint8) bool { return c != 52 && c != 53 }).Draw(t, "code")
		return option{dhcp4.OptionCode(code), rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "value")}
	})
}

// What is built is what is read.
func TestPropertyBuildParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]dhcp4.Op{dhcp4.OpRequest, dhcp4.OpReply}).Draw(t, "op")
		htype := rapid.Uint8().Draw(t, "htype")
		chaddr := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "chaddr")
		xid := rapid.Uint32().Draw(t, "xid")
		hops, secs := rapid.Uint8().Draw(t, "hops"), rapid.Uint16().Draw(t, "secs")
		broadcast := rapid.Bool().Draw(t, "broadcast")
		addrs := rapid.SliceOfN(genAddr(), 4, 4).Draw(t, "addresses")
		messageType := dhcp4.MessageType(rapid.Uint8Range(1, 255).Draw(t, "type"))
		options := rapid.SliceOfN(genOption(), 0, 12).Draw(t, "options")

		b := dhcp4.NewBuilder(op, htype, chaddr, xid)
		b.SetHops(hops)
		b.SetSecs(secs)
		b.SetBroadcast(broadcast)
		b.SetClientAddr(addrs[0])
		b.SetYourAddr(addrs[1])
		b.SetNextServer(addrs[2])
		b.SetRelay(addrs[3])
		want := map[dhcp4.OptionCode][]byte{dhcp4.OptionMessageType: {byte(messageType)}}
		b.AddMessageType(messageType)
		for _, o := range options {
			b.AddOption(o.code, o.value)
			want[o.code] = append(want[o.code], o.value...)
		}

		p, err := dhcp4.Parse(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got := []netip.Addr{p.ClientAddr(), p.YourAddr(), p.NextServer(), p.Relay()}
		if p.Op() != op || p.HardwareType() != htype || !bytes.Equal(p.HardwareAddr(), chaddr) || p.XID() != xid ||
			p.Hops() != hops || p.Secs() != secs || p.Broadcast() != broadcast || !slices.Equal(got, addrs) ||
			p.MessageType() != messageType {
			t.Fatalf("header came back changed: %x", p.Bytes())
		}
		for code := range 256 {
			code := dhcp4.OptionCode(code)
			v, ok := p.Option(code)
			if w, present := want[code]; ok != present || !bytes.Equal(v, w) {
				t.Fatalf("%v came back as %x, %v; want %x, %v", code, v, ok, w, present)
			}
		}
	})
}

func genRoute() *rapid.Generator[dhcp4.Route] {
	return rapid.Custom(func(t *rapid.T) dhcp4.Route {
		dst := netip.PrefixFrom(genAddr().Draw(t, "destination"), rapid.IntRange(0, 32).Draw(t, "bits"))
		return dhcp4.Route{Destination: dst.Masked(), Router: genAddr().Draw(t, "router")}
	})
}

func TestPropertyRoutes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		routes := rapid.SliceOfN(genRoute(), 1, 50).Draw(t, "routes")
		value := dhcp4.AppendClasslessRoutes(nil, routes...)
		got, err := dhcp4.ParseClasslessRoutes(value)
		if err != nil || !slices.Equal(got, routes) {
			t.Fatalf("got %v, %v", got, err)
		}
		// Cut anywhere but between two routes, it is refused.
		cut := rapid.IntRange(0, len(value)-1).Draw(t, "cut")
		if head, err := dhcp4.ParseClasslessRoutes(value[:cut]); err == nil && !slices.Equal(head, routes[:len(head)]) {
			t.Fatalf("a cut value reads as %v", head)
		}
	})
}

// compress encodes a search list, with a pointer wherever a suffix was written before.
func compress(names []string) []byte {
	var out []byte
	at := map[string]int{}
	for _, name := range names {
		for {
			if off, ok := at[name]; ok && name != "" {
				out = append(out, 0xc0|byte(off>>8), byte(off))
				break
			}
			if name == "" {
				out = append(out, 0)
				break
			}
			if len(out) < 1<<14 {
				at[name] = len(out)
			}
			label, rest, _ := strings.Cut(name, ".")
			out = append(append(out, byte(len(label))), label...)
			name = rest
		}
	}
	return out
}

func TestPropertyDomainSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SampledFrom([]string{"lab", "test", "eng", "a", "_tcp", "xn--caf-dma", strings.Repeat("l", 63)})
		name := rapid.Map(rapid.SliceOfN(label, 1, 5), func(l []string) string { return strings.Join(l, ".") }).
			Filter(func(s string) bool { return len(s) <= 253 })
		names := rapid.SliceOfN(name, 1, 15).Draw(t, "names")
		got, err := dhcp4.ParseDomainSearch(compress(names))
		if err != nil || !slices.Equal(texts(got), names) {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}
