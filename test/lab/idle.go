package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// WakeUps returns how often the threads of the processes went to sleep, which is as
// often as they were woken up.
func WakeUps(pids ...int) int {
	sum := 0
	for _, pid := range pids {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, th := range threads {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, th.Name()))
			for line := range strings.Lines(string(b)) {
				if v, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
					n, _ := strconv.Atoi(strings.TrimSpace(v))
					sum += n
				}
			}
		}
	}
	return sum
}

// Faults returns how many page faults the processes had that took no disk.
func Faults(pids ...int) int {
	sum := 0
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		// id (name) state ppid pgrp session tty tpgid flags minflt ...
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 7 {
			n, _ := strconv.Atoi(f[7])
			sum += n
		}
	}
	return sum
}

// A PacketSocket is a packet socket of some process in a space.
type PacketSocket struct {
	// Protocol is that of the frames it receives; 0: it only sends.
	Protocol uint16
	// Index is the interface it receives from; 0: from all.
	Index int
}

// PacketSockets lists the packet sockets in the space.
func (s *Space) PacketSockets(t T) []PacketSocket {
	t.Helper()
	text, err := s.ReadFile("/proc/thread-self/net/packet")
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	var all []PacketSocket
	for line := range strings.Lines(string(text)) {
		// sk, RefCnt, Type, Proto, Iface, R, Rmem, User, Inode
		f := strings.Fields(line)
		if len(f) < 5 || f[0] == "sk" {
			continue
		}
		protocol, err := strconv.ParseUint(f[3], 16, 16)
		if err != nil {
			t.Fatalf("space %s: %q: %v", s.Name, line, err)
		}
		index, err := strconv.Atoi(f[4])
		if err != nil {
			t.Fatalf("space %s: %q: %v", s.Name, line, err)
		}
		all = append(all, PacketSocket{uint16(protocol), index})
	}
	return all
}

// PacketHooks lists the places where the kernel hands frames of the space to packet
// sockets, as "0806 c0", or "0806 *" for those of all interfaces.
func (s *Space) PacketHooks(t T) []string {
	t.Helper()
	text, err := s.ReadFile("/proc/thread-self/net/ptype")
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		// Type, Device unless it is any, Function
		f := strings.Fields(line)
		if len(f) == 0 || !strings.Contains(f[len(f)-1], "packet_rcv") {
			continue
		}
		if len(f) == 2 {
			f = []string{f[0], "*", f[1]}
		}
		all = append(all, f[0]+" "+f[1])
	}
	return all
}
