package pcapng

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var (
	eth0 = Interface{Name: "eth0", HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 2}, Filter: "port 67 or port 68"}
	when = time.Date(2026, 11, 22, 14, 2, 11, 123456789, time.UTC)
)

// An ARP probe, 42 bytes.
var probe, _ = hex.DecodeString("ffffffffffff" + "020000000002" + "0806" + "0001080006040001" + "020000000002" + "00000000" + "000000000000" + "0a000009")

func packets() []Packet {
	to := bytes.Clone(probe)
	copy(to, []byte{2, 0, 0, 0, 0, 2})
	group := append([]byte{1, 0, 0x5e, 0, 0, 1}, probe[6:41]...) // 41 bytes: padded
	return []Packet{
		{Time: when, Direction: Outbound, Data: probe, Comment: "a probe, não é?"},
		{Time: when.Add(time.Nanosecond), Direction: Inbound, Data: to, Length: 1500, Dropped: 7},
		{Time: when.Add(time.Hour), Data: group},
		{Time: when.Add(2 * time.Hour), Data: []byte{1}},
	}
}

func capture(t *testing.T, list []Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, "lessee v1", "Linux", eth0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // a second time it does nothing
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// Another implementation reads what is written.
func TestAnotherReader(t *testing.T) {
	t.Parallel()
	data := capture(t, packets())
	r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.SectionInfo(); s.Application != "lessee v1" || s.OS != "Linux" {
		t.Errorf("section %+v", s)
	}
	i, err := r.Interface(0)
	if err != nil || i.Name != "eth0" || i.LinkType != layers.LinkTypeEthernet || i.TimestampResolution.Exponent() != 9 || i.Filter != eth0.Filter || i.OS != "Linux" {
		t.Errorf("interface %+v, %v", i, err)
	}
	reception := []pcapgo.NgEpbFlag{
		pcapgo.NgEpbFlagReceptionTypeBroadcast, pcapgo.NgEpbFlagReceptionTypeUnicast, pcapgo.NgEpbFlagReceptionTypeMulticast, 0,
	}
	for n, p := range packets() {
		got, ci, opts, err := r.ReadPacketDataWithOptions()
		if err != nil {
			t.Fatalf("packet %d: %v", n, err)
		}
		if !bytes.Equal(got, p.Data) || !ci.Timestamp.Equal(p.Time) || ci.Length != max(p.Length, len(p.Data)) || ci.InterfaceIndex != 0 {
			t.Errorf("packet %d: %x, %+v", n, got, ci)
		}
		if opts.Flags == nil || Direction(opts.Flags.Direction) != p.Direction || opts.Flags.Reception != reception[n] {
			t.Errorf("packet %d: flags %+v", n, opts.Flags)
		}
		if (opts.DropCount != nil) != (p.Dropped > 0) || p.Dropped > 0 && *opts.DropCount != p.Dropped {
			t.Errorf("packet %d: dropped %v", n, opts.DropCount)
		}
		if strings.Join(opts.Comments, "|") != p.Comment {
			t.Errorf("packet %d: comments %q", n, opts.Comments)
		}
	}
	if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last packet: %v", err)
	}
	if i, _ := r.Interface(0); i.Statistics.PacketsReceived != 11 || i.Statistics.PacketsDropped != 7 {
		t.Errorf("statistics %+v", i.Statistics)
	}
}

// What tcpdump prints has the time to the nanosecond.
func TestTcpdumpReadsIt(t *testing.T) {
	t.Parallel()
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("needs the program tcpdump")
	}
	file := filepath.Join(t.TempDir(), "x.pcapng")
	if err := os.WriteFile(file, capture(t, packets()[:2]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tcpdump, "-nner", file, "--time-stamp-precision=nano", "-tt", "-Z", "root")
	if os.Geteuid() != 0 {
		cmd.Args = cmd.Args[:len(cmd.Args)-2]
	}
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1795356131.123456789 02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff", "1795356131.123456790 02:00:00:00:00:02 > 02:00:00:00:00:02"} {
		lines := strings.Split(string(out), "\n")
		if len(lines) < 2 || !strings.HasPrefix(lines[i], want) || !strings.Contains(lines[i], "who-has 10.0.0.9") && !strings.Contains(lines[i], "Request who-has") {
			t.Errorf("line %d of\n%s, want %q", i+1, out, want)
		}
	}
}

type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestErrorsOfTheFile(t *testing.T) {
	t.Parallel()
	if _, err := NewWriter(&broken{}, "", "", Interface{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("begin: %v", err)
	}
	w, err := NewWriter(&broken{left: 2}, "", "", Interface{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(packets()[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(packets()[0]); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("packet: %v", err)
	}
	if err := w.Finish(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("end: %v", err)
	}
}

// FuzzRoundTrip: whatever a packet holds, another implementation reads it.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("data"), 0, uint8(1), uint64(3), "comment", int64(1), "eth0")
	f.Fuzz(func(t *testing.T, data []byte, length int, dir uint8, dropped uint64, comment string, at int64, name string) {
		if at < 0 {
			at = ^at
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, name, comment, Interface{Name: name, Filter: comment})
		if err != nil {
			t.Fatal(err)
		}
		p := Packet{Time: time.Unix(0, at), Direction: Direction(dir % 3), Data: data, Length: length & 0xffff, Dropped: dropped, Comment: comment}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		r, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
		if err != nil {
			t.Fatal(err)
		}
		got, ci, opts, err := r.ReadPacketDataWithOptions()
		if err != nil || !bytes.Equal(got, data) || ci.Timestamp.UnixNano() != at || ci.Length != max(p.Length, len(data)) {
			t.Fatalf("%x, %+v, %v", got, ci, err)
		}
		if want := string(clip(comment)); want != "" && (len(opts.Comments) != 1 || opts.Comments[0] != want) {
			t.Fatalf("comments %q, want %q", opts.Comments, want)
		}
	})
}
