package dhcp4

import (
	"errors"
	"net/netip"
	"testing"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestEveryRejection provokes each reason, and sees that it is told and counted.
func TestEveryRejection(t *testing.T) {
	t.Parallel()
	a := netip.MustParseAddr
	option := func(code wire.OptionCode, value ...byte) func(*reply) {
		return func(r *reply) {
			r.change = func(b *wire.Builder) { b.AddOption(code, value) }
		}
	}
	without := func(code wire.OptionCode) func(*reply) {
		return func(r *reply) { r.without = map[wire.OptionCode]bool{code: true} }
	}
	raw := func(f func([]byte) []byte) func([]byte) []byte { return f }
	late := func(r *reply) { r.lease = 2 }
	for why, c := range map[Rejection]struct {
		reach  string // a situation; "" is requesting
		typ    wire.MessageType
		change func(*reply)
		damage func([]byte) []byte
	}{
		RejectTooShort:            {damage: raw(func(b []byte) []byte { return b[:239] })},
		RejectBadOp:               {damage: raw(func(b []byte) []byte { b[0] = 3; return b })},
		RejectHardwareAddrTooLong: {damage: raw(func(b []byte) []byte { b[2] = 17; return b })},
		RejectBadMagicCookie:      {damage: raw(func(b []byte) []byte { b[236] = 0; return b })},
		RejectOptionTruncated:     {damage: raw(func(b []byte) []byte { return append(b[:243:243], 51, 9) })},
		RejectBadOverload:         {change: option(wire.OptionOverload, 4)},
		RejectBadMessageType:      {damage: raw(func(b []byte) []byte { b[242] = 0; return b })},
		RejectNotReply:            {damage: raw(func(b []byte) []byte { b[0] = 1; return b })},
		RejectForeignHardwareAddr: {damage: raw(func(b []byte) []byte { b[30]++; return b })},
		RejectNotAwaited:          {reach: "bound"},
		RejectForeignXID:          {change: func(r *reply) { r.xid++ }},
		RejectClientID:            {change: option(wire.OptionClientID, 1, 2, 3)},
		RejectNoMessageType:       {damage: raw(func(b []byte) []byte { copy(b[240:], []byte{0, 0, 0}); return b })},
		RejectMessageType:         {typ: wire.Inform},
		RejectForceRenew:          {typ: wire.ForceRenew},
		RejectUnauthenticated:     {reach: "bound-receptive", typ: wire.ForceRenew},
		RejectReplayed:            {reach: "bound-receptive", typ: wire.ForceRenew, change: option(90, digest(7)...)},
		RejectBadDigest:           {reach: "bound-receptive", typ: wire.ForceRenew, change: option(90, digest(8)...)},
		RejectUnexpected:          {typ: wire.Offer},
		RejectNoServerID:          {change: without(wire.OptionServerID)},
		RejectBadServerID:         {change: func(r *reply) { r.server = a("224.0.0.1") }},
		RejectOtherServer:         {change: func(r *reply) { r.server = a("10.77.0.9") }},
		RejectBadAddress:          {reach: "selecting", typ: wire.Offer, change: func(r *reply) { r.your = a("0.1.2.3") }},
		RejectOtherAddress:        {change: func(r *reply) { r.your = a("10.77.0.9") }},
		RejectNoLeaseTime:         {change: without(wire.OptionLeaseTime)},
		RejectLeaseTooShort:       {change: func(r *reply) { r.lease = 1 }},
		RejectLeaseOver:           {reach: "requesting-for-3s", change: late},
		RejectBadSubnetMask:       {change: func(r *reply) { r.mask = a("255.0.0.255") }},
	} {
		t.Run(why.String(), func(t *testing.T) {
			t.Parallel()
			if c.reach == "" {
				c.reach = "requesting"
			}
			if c.typ == 0 {
				c.typ = wire.ACK
			}
			w := newWorld(t, nil)
			situations[c.reach](w)
			state := w.c.State()
			r := w.newReply(c.typ)
			if c.change != nil {
				c.change(&r)
			}
			b := r.bytes()
			if c.damage != nil {
				b = c.damage(b)
			}
			got, ok := find[Dropped](w.tell(Datagram{Message: b, From: testServer, Link: testLink}))
			if !ok || got.Why != why || w.c.State() != state {
				t.Fatalf("%v, in %v, want %v", w.out, w.c.State(), why)
			}
			if n := w.c.Counters().Rejected(why); n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
	// What a parser may find in future has a counter as well.
	if rejectionOf(errors.New("new")) != RejectMalformed || rejectionOf(&wire.Error{Reason: 255}) != RejectMalformed {
		t.Error("an unknown reason is not malformed")
	}
}
