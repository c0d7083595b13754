// Command namespaces has one engine manage the adapters of many network namespaces, and
// says how long that takes and what it costs. The namespaces are in /run/netns, as
// ip-netns(8) has them: PREFIX-1 to PREFIX-N, each with an adapter eth0.
//
//	namespaces PREFIX N
//
// All get a lease; then all links go and come, and all renew; then the leases are
// given back. Root; a DHCP server has to be there.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/engine"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: namespaces PREFIX N")
		os.Exit(2)
	}
	n, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = run(os.Args[1], n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(prefix string, n int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var seed atomic.Uint64
	e, err := engine.Start(ctx, engine.Config{Client: func(l netconf.Link) v4.Config {
		return v4.Config{
			DHCP4:    dhcp4.Config{HardwareType: uint8(l.HardwareType), HardwareAddr: l.HardwareAddr, Seed: seed.Add(1)},
			Policy:   v4.Policy{Metric: 1000},
			Conflict: v4.ConflictOff,
		}
	}})
	if err != nil {
		return err
	}
	began := time.Now()
	clients := make([]*engine.Client, n)
	for i := range clients {
		if clients[i], err = e.ClientAt(fmt.Sprintf("/run/netns/%s-%d", prefix, i+1), strconv.Itoa(i+1), "eth0"); err != nil {
			return err
		}
	}
	say("joined", n, 0, began)
	all := func(what string, do func(context.Context, *engine.Client) error) {
		began := time.Now()
		var wait sync.WaitGroup
		var stuck atomic.Int64
		for _, c := range clients {
			wait.Go(func() {
				patient, cancel := context.WithTimeout(ctx, 5*time.Minute)
				defer cancel()
				if err := do(patient, c); err != nil {
					if stuck.Add(1) == 1 {
						fmt.Println(what, err)
					}
				}
			})
		}
		wait.Wait()
		say(what, n, int(stuck.Load()), began)
	}
	all("bound", func(ctx context.Context, c *engine.Client) error { return c.Up(ctx) })
	parents, err := filepath.Glob("/run/netns/" + prefix + "-H")
	if err == nil && len(parents) == 1 {
		for _, state := range []string{"down", "up"} {
			cmd := exec.CommandContext(ctx, "nsenter", "--net="+parents[0], "sh", "-c", //nolint:gosec // of the command line
				"for l in $(ip -o link show | sed -n 's/^[0-9]*: \\(h[0-9]*\\)@.*/\\1/p'); do ip link set $l "+state+"; done")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("set the links %s: %w: %s", state, err, out)
			}
		}
	}
	all("renewed after a flap", func(ctx context.Context, c *engine.Client) error { return c.Renew(ctx) })
	all("renewed", func(ctx context.Context, c *engine.Client) error { return c.Renew(ctx) })
	all("released", func(ctx context.Context, c *engine.Client) error { return c.Down(ctx) })
	cancel()
	e.Wait()
	return nil
}

// say writes what was done, and what the process holds then.
func say(what string, n, stuck int, began time.Time) {
	fds, _ := os.ReadDir("/proc/self/fd")
	threads, _ := os.ReadDir("/proc/self/task")
	status, _ := os.ReadFile("/proc/self/status")
	rss := ""
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			rss = strings.TrimSpace(v)
		}
	}
	fmt.Printf("%-22s %6d, %d stuck, %8.2f s; %d descriptors, %d threads, %d goroutines, %s\n",
		what, n, stuck, time.Since(began).Seconds(), len(fds), len(threads), runtime.NumGoroutine(), rss)
}
