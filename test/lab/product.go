package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// binaryEnv names a ready binary, for those who built one already.
const binaryEnv = "LESSEE_BINARY"

var binary struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Binary returns the path of the product's binary, built once per process.
func Binary(t T) string {
	t.Helper()
	binary.once.Do(build)
	if binary.err != nil {
		t.Fatalf("build of cmd/lessee: %v", binary.err)
	}
	return binary.path
}

func build() {
	if p := os.Getenv(binaryEnv); p != "" {
		binary.path = p
		return
	}
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		binary.err = err
		return
	}
	if binary.dir, binary.err = os.MkdirTemp("", "lb-bin"); binary.err != nil {
		return
	}
	// Processes of other users are to run it.
	if binary.err = os.Chmod(binary.dir, 0o755); binary.err != nil {
		return
	}
	binary.path = filepath.Join(binary.dir, "lessee")
	cmd := exec.Command("go", "build", "-o", binary.path, "./cmd/lessee")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(out)))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		binary.err = fmt.Errorf("%w\n%s", err, text)
	}
}

func removeBinary() {
	if binary.dir != "" {
		_ = os.RemoveAll(binary.dir)
	}
}
