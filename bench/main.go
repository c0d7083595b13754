package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lessee/lessee/test/lab"
)

func main() {
	runs := flag.Int("n", 10, "runs of each measure")
	leases := flag.Int("leases", 200, "leases more, for the cost of one (a twentieth for clients that start a process for each)")
	frames := flag.Int("frames", 1_000_000, "foreign frames that pass each client")
	routes := flag.Int("routes", 100_000, "foreign changes of routes")
	markdown := flag.Bool("markdown", false, "print the table as Markdown")
	idle := flag.Bool("idle", false, "measure only what foreign frames and routes do to an idle client")
	linkUp := flag.Bool("linkup", false, "measure only link up -> address")
	calls := flag.Bool("syscalls", false, "count system calls instead")
	only := flag.String("only", "", "clients to measure, separated by commas (default: all)")
	flag.Parse()
	if flag.NArg() > 0 || *runs < 1 || *leases < 1 || *frames < 1 || *routes < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *calls {
		if err := inLab(func() error { return syscalls(os.Stdout, *runs) }); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*runs, *leases, *frames, *routes, *markdown, *idle, *linkUp, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// inLab runs f where namespaces can be made.
func inLab(f func() error) error {
	if err := lab.Enter(); err != nil {
		return err
	}
	defer lab.Leave()
	return f()
}

func run(runs, leases, frames, routes int, markdown, idle, linkUp bool, only string) error {
	if err := lab.Enter(); err != nil {
		return err
	}
	defer lab.Leave()
	wanted := func(name string) bool { return only == "" || slices.Contains(strings.Split(only, ","), name) }
	b := &bench{runs: runs, leases: leases, frames: frames, routes: routes, strangersOnly: idle, linkUpOnly: linkUp}
	missing := map[string]string{}
	names := []string{"lessee"}
	if err := b.floor(); err != nil {
		return err
	}
	for _, c := range clients {
		if !wanted(c.name) {
			continue
		}
		if c.name != "lessee" {
			names = append(names, c.name)
		}
		if lacks := c.missing(); lacks != "" {
			missing[c.name] = "missing"
			fmt.Fprintf(os.Stderr, "%s: %s is not installed\n", c.name, lacks)
			continue
		}
		b.client(c)
	}
	floor, _ := median(b.exchange.values["lessee"])
	fmt.Printf("Bare DISCOVER, OFFER, REQUEST, ACK on the same cable (the floor): %s. Median of %d runs; in brackets: multiples of lessee's value.\n\n",
		milliseconds(floor), runs)
	rows := []*row{&b.start, &b.startDiscover, &b.linkUp, &b.linkDiscover, &b.ackAddress, &b.faults, &b.rejoin, &b.renewRequest, &b.renewACK, &b.release, &b.renewCommand, &b.releaseCommand, &b.memory, &b.memoryMore, &b.threads, &b.descriptors, &b.strangers, &b.quiet, &b.foreignRoutes, &b.quietRoutes, &b.sockets, &b.hooks}
	printTable(os.Stdout, cells(rows, names, missing, floor), markdown)
	fmt.Println("\n* lessee with GOGC=10, so that it is the lease that is measured and not the garbage collector's head room.")
	if err := parse(os.Stdout); err != nil {
		return err
	}
	if len(b.failed) > 0 {
		fmt.Printf("\nFailed:\n")
		for _, f := range b.failed {
			fmt.Println("-", f)
		}
	}
	return nil
}
