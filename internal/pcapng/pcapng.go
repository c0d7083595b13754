// Package pcapng writes packet captures in the format of Wireshark and tcpdump
// (draft-ietf-opsawg-pcapng): one section, one Ethernet interface, time stamps
// in nanoseconds.
package pcapng

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// An Interface is where the packets were seen.
type Interface struct {
	// Name is the interface's, such as "eth0".
	Name string
	// HardwareAddr has 6 bytes, or none where it is not known.
	HardwareAddr net.HardwareAddr
	// Filter says in words which packets were captured; "" says nothing.
	Filter string
}

// A Direction says which way a packet went.
type Direction uint8

// The directions, as the flags of a packet have them.
const (
	Unknown  Direction = 0
	Inbound  Direction = 1
	Outbound Direction = 2
)

// A Packet is one frame.
type Packet struct {
	Time      time.Time
	Direction Direction
	// Data begins with the Ethernet header; Length is how many bytes the frame
	// had, where Data is less.
	Data   []byte
	Length int
	// Dropped is how many frames are missing before this one.
	Dropped uint64
	// Comment is shown beside the packet; "" is none.
	Comment string
}

// The types of blocks, and the options of each.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockStatistics = 5
	blockPacket     = 6

	optionEnd     = 0
	optionComment = 1

	sectionOS          = 3
	sectionApplication = 4

	interfaceName        = 2
	interfaceMAC         = 6
	interfaceResolution  = 9
	interfaceFilter      = 11
	interfaceOS          = 12
	packetFlags          = 2
	packetDropped        = 4
	statisticsReceived   = 4
	statisticsDropped    = 5
	byteOrderMagic       = 0x1a2b3c4d
	linkEthernet         = 1
	nanoseconds          = 9 // if_tsresol: a negative power of ten
	filterString         = 0 // if_filter: a capture filter in libpcap's language
	unknownSectionLength = 1<<64 - 1
)

// The reception types, in bits 2 to 4 of a packet's flags.
const (
	receivedUnicast   = 1 << 2
	receivedMulticast = 2 << 2
	receivedBroadcast = 3 << 2
)

// maxText bounds a comment or name in bytes.
const maxText = 4096

// A Writer writes a capture. Each call of its methods is one Write.
type Writer struct {
	w        io.Writer
	packets  uint64
	dropped  uint64
	last     time.Time
	finished bool
}

// NewWriter begins a capture: it writes who made it and where.
func NewWriter(w io.Writer, application, system string, i Interface) (*Writer, error) {
	section := body(nil).uint32(byteOrderMagic).uint16(1).uint16(0).uint64(unknownSectionLength).
		text(sectionOS, system).text(sectionApplication, application).end()
	face := body(nil).uint16(linkEthernet).uint16(0).uint32(0).text(interfaceName, i.Name)
	if len(i.HardwareAddr) == 6 {
		face = face.option(interfaceMAC, i.HardwareAddr)
	}
	face = face.option(interfaceResolution, []byte{nanoseconds})
	if i.Filter != "" {
		face = face.option(interfaceFilter, append([]byte{filterString}, clip(i.Filter)...))
	}
	face = face.text(interfaceOS, system).end()
	if _, err := w.Write(append(section.block(blockSection), face.block(blockInterface)...)); err != nil {
		return nil, fmt.Errorf("begin the capture: %w", err)
	}
	return &Writer{w: w}, nil
}

// Write appends a packet.
func (w *Writer) Write(p Packet) error {
	at := uint64(p.Time.UnixNano()) //nolint:gosec // after 1970
	flags := uint32(p.Direction)
	if len(p.Data) >= 6 {
		flags |= reception(p.Data[:6])
	}
	b := body(nil).uint32(0).uint32(uint32(at>>32)).uint32(uint32(at)). //nolint:gosec // two halves
										uint32(uint32(len(p.Data))).uint32(uint32(max(p.Length, len(p.Data)))). //nolint:gosec // frames are short
										padded(p.Data).
										option(packetFlags, binary.LittleEndian.AppendUint32(nil, flags))
	if p.Dropped > 0 {
		b = b.option(packetDropped, binary.LittleEndian.AppendUint64(nil, p.Dropped))
	}
	b = b.text(optionComment, p.Comment).end()
	w.packets++
	w.dropped += p.Dropped
	w.last = p.Time
	if _, err := w.w.Write(b.block(blockPacket)); err != nil {
		return fmt.Errorf("write a packet to the capture: %w", err)
	}
	return nil
}

// Finish appends the statistics. A capture without them is complete as well.
func (w *Writer) Finish() error {
	if w.finished || w.packets == 0 {
		return nil
	}
	w.finished = true
	at := uint64(w.last.UnixNano())                                     //nolint:gosec // after 1970
	b := body(nil).uint32(0).uint32(uint32(at>>32)).uint32(uint32(at)). //nolint:gosec // two halves
										option(statisticsReceived, binary.LittleEndian.AppendUint64(nil, w.packets+w.dropped)).
										option(statisticsDropped, binary.LittleEndian.AppendUint64(nil, w.dropped)).end()
	if _, err := w.w.Write(b.block(blockStatistics)); err != nil {
		return fmt.Errorf("end the capture: %w", err)
	}
	return nil
}

// reception tells from the destination how a frame was addressed.
func reception(to []byte) uint32 {
	broadcast := true
	for _, b := range to {
		broadcast = broadcast && b == 0xff
	}
	switch {
	case broadcast:
		return receivedBroadcast
	case to[0]&1 != 0:
		return receivedMulticast
	}
	return receivedUnicast
}

// A body is what a block has between its two lengths.
type body []byte

func (b body) uint16(v uint16) body { return binary.LittleEndian.AppendUint16(b, v) }
func (b body) uint32(v uint32) body { return binary.LittleEndian.AppendUint32(b, v) }
func (b body) uint64(v uint64) body { return binary.LittleEndian.AppendUint64(b, v) }

// padded appends data and what brings it to 32 bits.
func (b body) padded(data []byte) body {
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

func (b body) option(code uint16, value []byte) body {
	return b.uint16(code).uint16(uint16(len(value))).padded(value) //nolint:gosec // values are short
}

// text appends an option with a text, unless it is empty.
func (b body) text(code uint16, s string) body {
	if s == "" {
		return b
	}
	return b.option(code, clip(s))
}

func clip(s string) []byte { return []byte(s)[:min(len(s), maxText)] }

func (b body) end() body { return b.uint16(optionEnd).uint16(0) }

func (b body) block(kind uint32) []byte {
	length := uint32(len(b) + 12) //nolint:gosec // blocks are short
	out := make([]byte, 0, length)
	out = binary.LittleEndian.AppendUint32(out, kind)
	out = binary.LittleEndian.AppendUint32(out, length)
	out = append(out, b...)
	return binary.LittleEndian.AppendUint32(out, length)
}
