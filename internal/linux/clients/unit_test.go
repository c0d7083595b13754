//go:build linux

package clients

import (
	"os"
	"strings"
	"testing"
)

// TestPain_MiSTer29_UnitFile: the unit file does not hide other processes from
// the service; another client would go unnoticed (MiSTer#29). That three
// capabilities suffice is tested with real clients in package test.
func TestPain_MiSTer29_UnitFile(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../packaging/systemd/lessee.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		for _, hides := range []string{"ProtectProc=", "ProcSubset=", "PrivatePIDs=", "PrivateUsers="} {
			if strings.HasPrefix(line, hides) {
				t.Errorf("%q", strings.TrimSpace(line))
			}
		}
	}
}
