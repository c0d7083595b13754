// Command lessee lists, obtains, renews and releases DHCP leases, and is the
// daemon that looks after them. Called ipconfig it is the command of that name.
package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/lessee/lessee/internal/cli"
	"github.com/lessee/lessee/internal/ipconfig"
)

func main() { os.Exit(personality(os.Args)()) }

// personality returns the command that the program's name asks for.
func personality(args []string) func() int {
	if len(args) > 0 {
		name := strings.ToLower(filepath.Base(args[0]))
		if strings.TrimSuffix(name, ".exe") == "ipconfig" {
			return ipconfig.Main
		}
	}
	return cli.Main
}
