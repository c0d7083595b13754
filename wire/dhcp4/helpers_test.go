package dhcp4_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

var hardware = []byte{2, 0, 0, 0, 0, 2}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// raw returns a reply of 240 bytes and then the given bytes, without END or padding.
func raw(options ...byte) []byte {
	b := make([]byte, 240, 240+len(options))
	b[0], b[1], b[2] = 2, 1, 6
	copy(b[28:], hardware)
	binary.BigEndian.PutUint32(b[236:], 0x63825363)
	return append(b, options...)
}

// with returns b changed by f.
func with(b []byte, f func(b []byte)) []byte {
	f(b)
	return b
}

// texts returns what a list's values are as text.
func texts[T fmt.Stringer](list []T) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = v.String()
	}
	return all
}

func mustParse(tb testing.TB, b []byte) dhcp4.Packet {
	tb.Helper()
	p, err := dhcp4.Parse(b)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func wantReason(tb testing.TB, err error, reason dhcp4.Reason, offset int) {
	tb.Helper()
	var e *dhcp4.Error
	if !errors.As(err, &e) {
		tb.Fatalf("error is %v, want %q", err, reason)
	}
	if e.Reason != reason || e.Offset != offset {
		tb.Fatalf("error is %v, want %q at byte %d", err, reason, offset)
	}
}
