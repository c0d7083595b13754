package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
)

// The most system calls that these may take.
const (
	maxACKCalls   = 9  // on one thread
	maxRenewCalls = 45 // on all
)

// A call is a system call as strace prints it.
type call struct {
	thread, name string
	text         string // arguments and result, as far as they are known
	begin, end   int    // lines of the trace
}

// syscalls counts the system calls from the ACK to the address, and of a renewal.
func syscalls(w io.Writer, runs int) error {
	if _, err := lab.Program("strace"); err != nil {
		return err
	}
	var acks, renewals []section
	for range runs {
		if err := try("system calls", func(t *trial) {
			s := newScene(t)
			s.carrier(false)
			d := s.client.Daemon(t, lab.Options{Args: []string{"c0"}})
			d.AwaitLine(t, patience, "msg=ready")
			time.Sleep(rest)
			calls := s.trace(d, func() {
				mark := s.addresses.Mark()
				s.carrier(true)
				s.addressAfter(mark)
			})
			acks = append(acks, ackToAddress(t, calls))
			time.Sleep(rest)
			calls = s.trace(d, func() {
				mark := s.packets.Mark()
				d.Must(t, "renew", "c0")
				s.gotAfter(mark, dhcpv4.MessageTypeAck)
			})
			renewals = append(renewals, renewal(t, calls))
		}); err != nil {
			return err
		}
	}
	a, r := middle(acks), middle(renewals)
	fmt.Fprintf(w, "System calls of lessee, the middle of %d runs. sysmon is the thread of the Go runtime that only naps and looks.\n\n", runs)
	a.print(w, "ACK received -> acknowledgement of the address read")
	fmt.Fprintf(w, "on that thread: %d of at most %d\n\n", a.onThread(), maxACKCalls)
	r.print(w, "renew: connection accepted -> answer written")
	fmt.Fprintf(w, "on all threads: %d of at most %d\n", r.all(), maxRenewCalls)
	if a.onThread() > maxACKCalls || r.all() > maxRenewCalls {
		return errors.New("more system calls than may be")
	}
	return nil
}

// trace runs f and returns the system calls of the daemon meanwhile.
func (s *scene) trace(d *lab.Daemon, f func()) []call {
	file := filepath.Join(s.client.Dir, "strace")
	p := s.client.Start(s.t, "strace", "-f", "-q", "-xx", "-s", "2048", "-p", fmt.Sprint(d.Pid()), "-o", file)
	p.Name = "strace"
	threads := func() int { u, _ := lab.UsageOf(d.Pid()); return u.Threads }
	if !lab.Eventually(patience, func() bool { return traced(d.Pid()) == threads() }) {
		s.t.Fatalf("strace does not attach")
	}
	f()
	time.Sleep(50 * time.Millisecond) // what follows is not cut off
	if keep := os.Getenv("LESSEE_BENCH_TRACE"); keep != "" {
		b, _ := os.ReadFile(file)
		_ = os.WriteFile(keep, b, 0o644)
	}
	_ = p.Signal(syscall.SIGINT)
	p.Wait(s.t, patience)
	calls, err := readTrace(file)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return calls
}

// traced counts the threads of a process that are traced.
func traced(pid int) (n int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, file := range threads {
		b, _ := os.ReadFile(file)
		if i := strings.Index(string(b), "TracerPid:\t"); i >= 0 && b[i+len("TracerPid:\t")] != '0' {
			n++
		}
	}
	return n
}

var (
	traceLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	traceResume = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
)

// readTrace reads what strace -f wrote. The calls are in the order of their beginning.
func readTrace(file string) ([]call, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []call
	open := map[string]int{} // by thread
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		line := in.Text()
		if m := traceLine.FindStringSubmatch(line); m != nil {
			c := call{thread: m[1], name: m[2], text: m[3], begin: n, end: n}
			if text, cut := strings.CutSuffix(m[3], "<unfinished ...>"); cut {
				c.text, c.end = text, 0
				open[m[1]] = len(all)
			}
			all = append(all, c)
			continue
		}
		if m := traceResume.FindStringSubmatch(line); m != nil {
			if i, begun := open[m[1]]; begun {
				all[i].text, all[i].end = all[i].text+m[3], n
				delete(open, m[1])
			} else { // it began before
				all = append(all, call{thread: m[1], name: m[2], text: m[3], end: n})
			}
		}
	}
	return all, in.Err()
}

// A section is a part of a trace: what began in it.
type section struct {
	thread string // where its first call ended
	calls  []call
	woken  []call // calls that began before it, or in it, waited, and ended in it, of other threads
}

// cut returns the section from the end of the first call to the begin of the last.
func cut(calls []call, first, last call) section {
	s := section{thread: first.thread, calls: []call{first}}
	for _, c := range calls {
		if c.begin > first.end && c.begin <= last.begin {
			s.calls = append(s.calls, c)
		}
		if waits(c) && c.thread != first.thread && c.end > first.end && c.end <= last.begin && c.end != c.begin {
			s.woken = append(s.woken, c)
		}
	}
	return s
}

// waits reports whether a thread may have slept in the call until another woke it.
func waits(c call) bool {
	return c.name == "futex" && strings.Contains(c.text, "_WAIT") || strings.HasPrefix(c.name, "epoll_") && c.name != "epoll_ctl"
}

// find returns the first call at or after the line for which is holds.
func find(t *trial, what string, calls []call, line int, is func(call) bool) call {
	for _, c := range calls {
		if c.begin >= line && is(c) {
			return c
		}
	}
	t.Fatalf("the trace has no %s", what)
	return call{}
}

// hex is how strace -xx prints bytes.
func hex(b string) string {
	var s strings.Builder
	for _, c := range []byte(b) {
		fmt.Fprintf(&s, `\x%02x`, c)
	}
	return s.String()
}

func ackToAddress(t *trial, calls []call) section {
	ack := find(t, "ACK", calls, 0, func(c call) bool {
		return c.name == "recvmsg" && strings.Contains(c.text, hex("\x63\x82\x53\x63")) && strings.Contains(c.text, hex("\x35\x01\x05"))
	})
	add := find(t, "address", calls, ack.begin, func(c call) bool {
		return (c.name == "write" || strings.HasPrefix(c.name, "send")) && strings.Contains(c.text, hex("\x14\x00\x05\x06"))
	})
	fd, _, _ := strings.Cut(add.text, ",")
	done := find(t, "acknowledgement of the address", calls, add.begin, func(c call) bool {
		return (c.name == "recvfrom" || c.name == "recvmsg" || c.name == "recvmmsg" || c.name == "read") && strings.HasPrefix(c.text, fd+",")
	})
	return cut(calls, ack, done)
}

func renewal(t *trial, calls []call) section {
	accept := find(t, "connection", calls, 0, func(c call) bool {
		return strings.HasPrefix(c.name, "accept") && !strings.Contains(c.text, "EAGAIN")
	})
	answer := find(t, "answer", calls, accept.begin, func(c call) bool {
		return c.name == "write" && strings.Contains(c.text, hex("HTTP/1.1 204"))
	})
	return cut(calls, accept, answer)
}

// sysmon reports whether a call is one of the runtime's thread that looks after the
// others: how many there are depends on how long something takes.
func sysmon(c call) bool { return c.name == "nanosleep" }

func (s section) all() (n int) {
	for _, c := range s.calls {
		if !sysmon(c) {
			n++
		}
	}
	return n
}

func (s section) onThread() (n int) {
	for _, c := range s.calls {
		if c.thread == s.thread {
			n++
		}
	}
	return n
}

// middle returns the section with the median number of calls.
func middle(all []section) section {
	slices.SortStableFunc(all, func(a, b section) int { return cmp.Compare(a.all(), b.all()) })
	return all[len(all)/2]
}

func (s section) print(w io.Writer, what string) {
	fmt.Fprintln(w, what)
	names := map[string]string{s.thread: "A"}
	byName, futexWakes, naps := map[string]int{}, 0, 0
	for _, c := range s.calls {
		if sysmon(c) {
			naps++
			continue
		}
		if names[c.thread] == "" {
			names[c.thread] = string(rune('A' + len(names)))
		}
		byName[c.name]++
		if c.name == "futex" && strings.Contains(c.text, "_WAKE") {
			futexWakes++
		}
		fmt.Fprintf(w, "  %s  %s\n", names[c.thread], c.short())
	}
	counts := slices.Collect(maps.Keys(byName))
	slices.SortFunc(counts, func(a, b string) int { return cmp.Or(byName[b]-byName[a], cmp.Compare(a, b)) })
	for i, name := range counts {
		counts[i] = fmt.Sprintf("%d %s", byName[name], name)
	}
	fmt.Fprintf(w, "%d calls on %d threads: %s. Naps of sysmon: %d.\n", s.all(), len(names), strings.Join(counts, ", "), naps)
	fmt.Fprintf(w, "Threads woken: %d by a futex (%d wakes), %d by epoll.\n", beginning(s.woken, "futex"), futexWakes, beginning(s.woken, "epoll"))
}

func beginning(calls []call, prefix string) (n int) {
	for _, c := range calls {
		if strings.HasPrefix(c.name, prefix) {
			n++
		}
	}
	return n
}

var longHex = regexp.MustCompile(`"(\\x[0-9a-f]{2})*"\.*`)

// short is the call on one line, with strings as text.
func (c call) short() string {
	text := longHex.ReplaceAllStringFunc(c.text, func(s string) string {
		var b []byte
		for _, x := range strings.Split(strings.Trim(s, `".`), `\x`)[1:] {
			var v byte
			_, _ = fmt.Sscanf(x, "%02x", &v)
			b = append(b, v)
		}
		q := fmt.Sprintf("%q", b)
		if len(q) > 50 {
			q = q[:46] + `..."`
		}
		return q
	})
	if len(text) > 110 {
		text = text[:107] + "..."
	}
	return c.name + "(" + text
}
