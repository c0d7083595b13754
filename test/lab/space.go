package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Space is a machine of the lab: a network, mount and UTS namespace. One
// thread of this process holds it and starts the processes in it; when the
// thread ends, they and the namespace end with it.
type Space struct {
	Name string
	// Dir holds the space's files; the processes in it see it as well.
	Dir string
	// Net is the kernel's network configuration of the space.
	Net *netlink.Handle

	ns    netns.NsHandle
	inode uint64
	calls chan func()

	mu    sync.Mutex
	procs []*Process
	run   string // see RunDir
	// holds end what processes of the space wait for that no signal interrupts.
	holds []func()
}

// unhold has every process of the space be one that can be killed.
func (s *Space) unhold() {
	s.mu.Lock()
	holds := s.holds
	s.mu.Unlock()
	for _, end := range holds {
		end()
	}
}

// onUnhold adds a function that ends what processes may wait for. It may be called
// more than once.
func (s *Space) onUnhold(end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, end)
}

// newSpace makes a namespace with loopback up.
func newSpace(name, parent string) (*Space, error) {
	dir, err := os.MkdirTemp(parent, name+"-")
	if err != nil {
		return nil, err
	}
	s := &Space{Name: name, Dir: dir, calls: make(chan func())}
	ready := make(chan error)
	go s.hold(ready)
	if err := <-ready; err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// hold is the life of the space's thread. It is never unlocked: the Go runtime
// ends the thread together with the goroutine.
func (s *Space) hold(ready chan<- error) {
	runtime.LockOSThread()
	if err := s.setup(); err != nil {
		ready <- fmt.Errorf("space %s: %w", s.Name, err)
		return
	}
	ready <- nil
	for call := range s.calls {
		call()
	}
}

func (s *Space) setup() error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := s.mounts(); err != nil {
		return err
	}
	// Client scripts set the host name; it is the namespace's own.
	if err := unix.Sethostname([]byte(s.Name)); err != nil {
		return fmt.Errorf("sethostname: %w", err)
	}
	ns, err := netns.Get()
	if err != nil {
		return err
	}
	s.ns = ns
	var st unix.Stat_t
	if err = unix.Fstat(int(ns), &st); err != nil {
		return err
	}
	s.inode = st.Ino
	if s.Net, err = netlink.NewHandleAt(ns, unix.NETLINK_ROUTE); err != nil {
		return err
	}
	// Neither side is to wait for IPv6 duplicate address detection.
	for _, k := range []string{"all", "default"} {
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+k+"/accept_dad", []byte("0"), 0)
	}
	lo, err := s.Net.LinkByName("lo")
	if err != nil {
		return err
	}
	return s.Net.LinkSetUp(lo)
}

// mounts gives the thread and its children a /run, /var/lib, /etc and /sys of
// their own. Files of /etc are links to the real ones, but for resolv.conf.
func (s *Space) mounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	real := filepath.Join(s.Dir, "etc.real")
	etc := filepath.Join(s.Dir, "etc")
	run := filepath.Join(s.Dir, "run")
	lib := filepath.Join(s.Dir, "lib")
	for _, d := range []string{
		real, etc, run, lib, run + "/dhcpcd", run + "/kea", run + "/lock", run + "/systemd",
		lib + "/dhcpcd", lib + "/dhcp", lib + "/misc", lib + "/kea", lib + "/NetworkManager",
	} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir("/etc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "resolv.conf" {
			continue
		}
		if err := os.Symlink(filepath.Join(real, e.Name()), filepath.Join(etc, e.Name())); err != nil {
			return err
		}
	}
	if err := os.WriteFile(etc+"/resolv.conf", []byte("# of the lab\n"), 0o644); err != nil {
		return err
	}
	for _, b := range [][2]string{{"/etc", real}, {etc, "/etc"}, {run, "/run"}, {lib, "/var/lib"}} {
		if err := unix.Mount(b[0], b[1], "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s on %s: %w", b[0], b[1], err)
		}
	}
	// A /sys of this network namespace, read-only: there is no udev here, and
	// networkd and NetworkManager conclude so from that. Where the kernel
	// denies it, as in some containers, those two are the only ones to mind.
	if unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") == nil {
		_ = unix.Mount("", "/sys", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return nil
}

// Do runs f on the space's thread: what f opens belongs to the space.
func (s *Space) Do(f func() error) error {
	done := make(chan error)
	s.calls <- func() { done <- f() }
	return <-done
}

// Sysctl sets /proc/sys/net/KEY of the space.
func (s *Space) Sysctl(t T, key, value string) {
	t.Helper()
	err := s.Do(func() error { return os.WriteFile("/proc/sys/net/"+key, []byte(value), 0) })
	if err != nil {
		t.Fatalf("space %s: sysctl net/%s: %v", s.Name, key, err)
	}
}

// Path returns the path of a file in the space's directory.
func (s *Space) Path(name string) string { return filepath.Join(s.Dir, name) }

// RunDir returns the folder in which the daemons of the space keep the leases of
// this boot. It is on a tmpfs where the machine has /dev/shm, as /run is on most.
func (s *Space) RunDir(t T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == "" {
		dir, err := os.MkdirTemp("/dev/shm", "lessee-"+s.Name+"-")
		if err != nil {
			dir = s.Path("run-of-boot")
		}
		s.run = dir
	}
	return s.run
}

// Write writes a file into the space's directory and returns its path.
func (s *Space) Write(t T, name, content string) string {
	t.Helper()
	p := s.Path(name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	return p
}

// ReadFile reads a file as the processes of the space see it.
func (s *Space) ReadFile(path string) ([]byte, error) {
	var b []byte
	err := s.Do(func() (err error) {
		b, err = os.ReadFile(path)
		return err
	})
	return b, err
}

// ResolvConf returns the resolv.conf that the processes of the space see.
func (s *Space) ResolvConf() string {
	b, _ := os.ReadFile(s.Path("etc/resolv.conf"))
	return string(b)
}

// Command prepares a program to be run in the space.
func (s *Space) Command(t T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := Program(name)
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = name
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return cmd
}

// Run runs a program to its end and returns what it printed; it fails the
// test if the program fails.
func (s *Space) Run(t T, name string, args ...string) string {
	t.Helper()
	out, err := s.Output(s.Command(t, name, args...))
	if err != nil {
		t.Fatalf("space %s: %s %s: %v\n%s", s.Name, name, strings.Join(args, " "), err, out)
	}
	return out
}

// Output runs a command of the space to its end, a minute at most.
func (s *Space) Output(cmd *exec.Cmd) (string, error) {
	var b lockedBuffer
	if cmd.Stdout == nil {
		cmd.Stdout = &b
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &b
	}
	// A descendant that keeps the output open is not waited for.
	cmd.WaitDelay = time.Second
	if err := s.Do(cmd.Start); err != nil {
		return "", err
	}
	timer := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	if !timer.Stop() {
		err = errors.Join(err, errors.New("killed after a minute"))
	}
	return b.String(), err
}

// strangers lists the processes in the space's network namespace.
func (s *Space) strangers() []int {
	var pids []int
	dirs, _ := os.ReadDir("/proc")
	self := os.Getpid()
	for _, d := range dirs {
		var pid int
		if _, err := fmt.Sscanf(d.Name(), "%d", &pid); err != nil || pid == self {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+d.Name()+"/ns/net", &st) == nil && st.Ino == s.inode {
			pids = append(pids, pid)
		}
	}
	return pids
}

// close ends all processes of the space, then the space. It returns the
// processes that did not end with those that had started them.
func (s *Space) close() []string {
	s.mu.Lock()
	procs := s.procs
	s.mu.Unlock()
	for _, p := range procs {
		p.Kill()
	}
	var left []string
	for _, pid := range s.strangers() {
		left = append(left, describeProcess(fmt.Sprint(pid)))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	s.Net.Close()
	_ = s.ns.Close()
	close(s.calls)
	_ = os.RemoveAll(s.Dir)
	if s.run != "" {
		_ = os.RemoveAll(s.run)
	}
	return left
}
