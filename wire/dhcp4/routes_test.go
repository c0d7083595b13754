package dhcp4_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

func route(dst, via string) dhcp4.Route {
	return dhcp4.Route{Destination: netip.MustParsePrefix(dst), Router: addr(via)}
}

// The destination descriptors of the table in RFC 3442, "Classless Route Option Format".
func TestClasslessRoutes(t *testing.T) {
	t.Parallel()
	value := []byte{
		0, 10, 0, 0, 1,
		8, 10, 10, 0, 0, 1,
		24, 10, 0, 0, 10, 0, 0, 1,
		16, 10, 17, 10, 0, 0, 1,
		24, 10, 27, 129, 10, 0, 0, 1,
		25, 10, 229, 0, 128, 10, 0, 0, 1,
		32, 10, 198, 122, 47, 0, 0, 0, 0,
	}
	want := []dhcp4.Route{
		route("0.0.0.0/0", "10.0.0.1"), route("10.0.0.0/8", "10.0.0.1"), route("10.0.0.0/24", "10.0.0.1"),
		route("10.17.0.0/16", "10.0.0.1"), route("10.27.129.0/24", "10.0.0.1"), route("10.229.0.128/25", "10.0.0.1"),
		route("10.198.122.47/32", "0.0.0.0"),
	}
	got, err := dhcp4.ParseClasslessRoutes(value)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if back := dhcp4.AppendClasslessRoutes([]byte{7}, want...); !slices.Equal(back, append([]byte{7}, value...)) {
		t.Errorf("encoded as %v", back)
	}
}

func TestClasslessRoutesMasksHostBits(t *testing.T) {
	t.Parallel()
	got, err := dhcp4.ParseClasslessRoutes([]byte{20, 10, 1, 0xff, 10, 0, 0, 1})
	if err != nil || len(got) != 1 || got[0] != route("10.1.240.0/20", "10.0.0.1") {
		t.Errorf("got %v, %v", got, err)
	}
	enc := dhcp4.AppendClasslessRoutes(nil, dhcp4.Route{Destination: netip.MustParsePrefix("10.1.255.3/20"), Router: addr("10.0.0.1")})
	if !slices.Equal(enc, []byte{20, 10, 1, 0xf0, 10, 0, 0, 1}) {
		t.Errorf("encoded as %v", enc)
	}
}

func TestClasslessRoutesRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		value  []byte
		reason dhcp4.Reason
		offset int
	}{
		{"nothing", nil, dhcp4.ReasonRouteTruncated, 0},
		{"width 33", []byte{33, 10, 0, 0, 1, 10, 0, 0, 1}, dhcp4.ReasonRouteWidth, 0},
		{"second route of width 255", []byte{0, 10, 0, 0, 1, 255, 1}, dhcp4.ReasonRouteWidth, 5},
		{"no router", []byte{0}, dhcp4.ReasonRouteTruncated, 0},
		{"router cut off", []byte{24, 10, 0, 0, 10, 0, 0}, dhcp4.ReasonRouteTruncated, 0},
		{"second route cut off", []byte{0, 10, 0, 0, 1, 8, 10}, dhcp4.ReasonRouteTruncated, 5},
	} {
		routes, err := dhcp4.ParseClasslessRoutes(tt.value)
		if routes != nil {
			t.Errorf("%s: routes %v beside the error", tt.name, routes)
		}
		wantReason(t, err, tt.reason, tt.offset)
	}
}

func TestAppendClasslessRoutesSkips(t *testing.T) {
	t.Parallel()
	got := dhcp4.AppendClasslessRoutes(nil, dhcp4.Route{}, route("2001:db8::/32", "10.0.0.1"), route("0.0.0.0/0", "fe80::1"))
	if !slices.Equal(got, []byte{0, 0, 0, 0, 0}) {
		t.Errorf("encoded as %v", got)
	}
}

func TestMaskBits(t *testing.T) {
	t.Parallel()
	for bits := range 33 {
		mask, _ := netip.AddrFromSlice(net.CIDRMask(bits, 32))
		if got, ok := dhcp4.MaskBits(mask); !ok || got != bits {
			t.Errorf("MaskBits(%v) = %d, %v", mask, got, ok)
		}
	}
	for _, s := range []string{"255.0.255.0", "0.0.0.1", "127.255.255.255", "255.255.255.253", "::1", "ffff::"} {
		if got, ok := dhcp4.MaskBits(addr(s)); ok {
			t.Errorf("MaskBits(%s) = %d", s, got)
		}
	}
	if _, ok := dhcp4.MaskBits(netip.Addr{}); ok {
		t.Error("the zero address is a mask")
	}
	if got, ok := dhcp4.MaskBits(addr("::ffff:255.255.0.0")); !ok || got != 16 {
		t.Error("a mapped mask is", got, ok)
	}
}
