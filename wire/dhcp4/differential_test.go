package dhcp4_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/rfc1035label"

	"github.com/lessee/lessee/wire/dhcp4"
)

// FuzzAgainstInsomniacslk compares with an independent codec. The two differ on
// purpose in this, and in nothing else:
//
//   - It does not read options from file and sname (option 52); we do. So its
//     value of an option is a prefix of ours in an overloaded message.
//   - It requires END; with an END appended it must accept what we accept.
//   - It accepts any op and cuts hlen to 16; we refuse.
//   - It does not look into options 52 and 53; we refuse malformed ones.
//   - In routes it keeps host bits, and it accepts an empty option 121.
//   - In search lists it accepts forward pointers, reserved label forms, names
//     without their final zero and any character; we refuse. It refuses a
//     pointer to a name that ends in a pointer, and a name of any length.
func FuzzAgainstInsomniacslk(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := dhcp4.Parse(b)
		theirs, theirErr := dhcpv4.FromBytes(b)
		if err != nil {
			if theirErr == nil {
				checkStricter(t, b, err)
			}
			return
		}
		if theirErr != nil {
			// Only END can be missing.
			if theirs, theirErr = dhcpv4.FromBytes(append(bytes.Clone(b), 255)); theirErr != nil {
				t.Fatalf("they refuse: %v", theirErr)
			}
		}
		compareHeader(t, p, theirs)
		compareOptions(t, p, theirs)
	})
}

// checkStricter fails unless err is one of the reasons for which we refuse more.
func checkStricter(t *testing.T, b []byte, err error) {
	t.Helper()
	var e *dhcp4.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	switch e.Reason { // the other reasons are theirs too
	case dhcp4.ReasonBadOp, dhcp4.ReasonHardwareAddrTooLong, dhcp4.ReasonBadOverload,
		dhcp4.ReasonMessageTypeLength, dhcp4.ReasonMessageTypeZero:
	case dhcp4.ReasonOptionTruncated:
		if e.Offset >= 240 {
			t.Fatalf("they accept, we do not: %v in %x", err, b)
		}
	default:
		t.Fatalf("they accept, we do not: %v in %x", err, b)
	}
}

func compareHeader(t *testing.T, p dhcp4.Packet, theirs *dhcpv4.DHCPv4) {
	t.Helper()
	xid := p.XID()
	same := uint8(p.Op()) == uint8(theirs.OpCode) && uint16(p.HardwareType()) == uint16(theirs.HWType) &&
		p.Hops() == theirs.HopCount && p.Secs() == theirs.NumSeconds && p.Broadcast() == theirs.IsBroadcast() &&
		[4]byte(theirs.TransactionID) == [4]byte{byte(xid >> 24), byte(xid >> 16), byte(xid >> 8), byte(xid)} &&
		bytes.Equal(p.HardwareAddr(), theirs.ClientHWAddr) &&
		bytes.Equal(p.ClientAddr().AsSlice(), theirs.ClientIPAddr) &&
		bytes.Equal(p.YourAddr().AsSlice(), theirs.YourIPAddr) &&
		bytes.Equal(p.NextServer().AsSlice(), theirs.ServerIPAddr) &&
		bytes.Equal(p.Relay().AsSlice(), theirs.GatewayIPAddr)
	if !same {
		t.Fatalf("headers differ: %x and %v", p.Bytes(), theirs)
	}
	overload, _ := p.Uint8(dhcp4.OptionOverload)
	if _, present := theirs.Options[52]; !present && (p.File() != theirs.BootFileName || p.ServerName() != theirs.ServerHostName) {
		t.Fatalf("file %q and %q, sname %q and %q, overload %d",
			p.File(), theirs.BootFileName, p.ServerName(), theirs.ServerHostName, overload)
	}
}

func compareOptions(t *testing.T, p dhcp4.Packet, theirs *dhcpv4.DHCPv4) {
	t.Helper()
	_, overloaded := theirs.Options[52]
	for code := range 256 {
		v, ok := p.Option(dhcp4.OptionCode(code))
		w, present := theirs.Options[uint8(code)]
		switch {
		case overloaded && (present && !ok || !bytes.HasPrefix(v, w)),
			!overloaded && (present != ok || !bytes.Equal(v, w)):
			t.Fatalf("option %d is %x, %v; theirs %x, %v", code, v, ok, w, present)
		}
		if !ok {
			continue
		}
		compareRoutes(t, v)
		compareSearch(t, v)
	}
}

func compareRoutes(t *testing.T, value []byte) {
	t.Helper()
	routes, err := dhcp4.ParseClasslessRoutes(value)
	var theirs dhcpv4.Routes
	theirErr := theirs.FromBytes(value)
	if len(value) == 0 {
		return
	}
	if (err == nil) != (theirErr == nil) || err == nil && len(routes) != len(theirs) {
		t.Fatalf("routes %x: %v, %v; theirs %v, %v", value, routes, err, theirs, theirErr)
	}
	for i, r := range routes {
		ip, _ := netip.AddrFromSlice(theirs[i].Dest.IP)
		bits, _ := theirs[i].Dest.Mask.Size()
		via, _ := netip.AddrFromSlice(theirs[i].Router)
		if dst := netip.PrefixFrom(ip, bits).Masked(); r.Destination != dst || r.Router != via {
			t.Fatalf("route %v, theirs %v via %v", r, dst, via)
		}
	}
}

func compareSearch(t *testing.T, value []byte) {
	t.Helper()
	list, err := dhcp4.ParseDomainSearch(value)
	if err != nil {
		return
	}
	names := texts(list)
	theirs, err := rfc1035label.FromBytes(value)
	if err == nil && !slices.Equal(names, theirs.Labels) {
		t.Fatalf("search list %q, theirs %q", names, theirs.Labels)
	}
}
