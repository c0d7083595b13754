//go:build linux

package foreign

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPain_MiSTer29_UnitFile: the service may look into other processes. Without
// CAP_SYS_PTRACE their namespaces and descriptors are hidden even from root if they
// have more capabilities, without CAP_DAC_READ_SEARCH those of other users are;
// then another client goes unnoticed (MiSTer#29).
func TestPain_MiSTer29_UnitFile(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../packaging/systemd/lessee.service")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for line := range strings.Lines(string(b)) {
		if set, ok := strings.CutPrefix(line, "CapabilityBoundingSet="); ok {
			have = append(have, strings.Fields(set)...)
		}
		// These hide other processes, too.
		for _, hides := range []string{"ProtectProc=", "ProcSubset=", "PrivatePIDs=", "PrivateUsers="} {
			if strings.HasPrefix(line, hides) {
				t.Errorf("%q", strings.TrimSpace(line))
			}
		}
	}
	for _, want := range []string{
		"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("%s is not among %q", want, have)
		}
	}
}
