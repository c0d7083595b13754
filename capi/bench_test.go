//go:build linux && cgo

package main_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/test/lab"
)

// BenchmarkRenew renews a lease of dnsmasq, which answers at once, by a C program
// that calls IpRenewAddress and by `lessee renew`. In turns, so that both see
// the same machine. Reported are medians: of the call in C, of the C program with
// its start and end, of the command, and by how much the call in C takes longer
// than the command.
func BenchmarkRenew(b *testing.B) {
	h := newHome(b, lab.Config{})
	program := compile(b, "gcc", []string{"-O2"}, "testdata/call.c")
	var call, whole, command []time.Duration
	for b.Loop() {
		r := h.call(b, program, "c0", "n")
		f := strings.Fields(r.Stdout)
		if len(f) != 3 || f[1] != "0" {
			b.Fatalf("%q %s", f, r.Stderr)
		}
		us, err := strconv.Atoi(f[2])
		if err != nil {
			b.Fatal(err)
		}
		call = append(call, time.Duration(us)*time.Microsecond)
		whole = append(whole, r.Took)
		r = h.daemon.CLI(b, "renew", "c0")
		if r.Status != 0 {
			b.Fatal(r.Stderr)
		}
		command = append(command, r.Took)
	}
	ms := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(ms(call), "ms/call")
	b.ReportMetric(ms(whole), "ms/program")
	b.ReportMetric(ms(command), "ms/lessee-renew")
	b.ReportMetric(ms(call)-ms(command), "ms/more")
	b.ReportMetric(0, "ns/op")
}
