//go:build linux

package packet

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// portHolder names the programs that have the UDP port open, as far as the
// process may know: "dhclient (pid 1234)".
func (n *Transport) portHolder(port int) string {
	var inodes map[string]bool
	_ = n.space.Do(func() error {
		f, err := os.Open("/proc/thread-self/net/udp")
		if err != nil {
			return err
		}
		defer f.Close()
		inodes = portInodes(bufio.NewScanner(f), port)
		return nil
	})
	if len(inodes) == 0 {
		return ""
	}
	var who []string
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		if !holdsSocket(p, inodes) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(p, "comm"))
		who = append(who, fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(p)))
	}
	return strings.Join(who, ", ")
}

// portInodes reads the table of UDP sockets and returns "socket:[inode]" of
// those with the local port.
func portInodes(table *bufio.Scanner, port int) map[string]bool {
	inodes := map[string]bool{}
	suffix := fmt.Sprintf(":%04X", port)
	for table.Scan() {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode ...
		f := strings.Fields(table.Text())
		if len(f) > 9 && strings.HasSuffix(f[1], suffix) {
			inodes["socket:["+f[9]+"]"] = true
		}
	}
	return inodes
}

func holdsSocket(proc string, inodes map[string]bool) bool {
	if filepath.Base(proc) == fmt.Sprint(os.Getpid()) {
		return false
	}
	fds, _ := filepath.Glob(filepath.Join(proc, "fd", "*"))
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			return true
		}
	}
	return false
}
