package daemon

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/internal/recording"
)

// beginRecording begins to record to a new file. It returns what puts the recorder in
// its place, nil where no file is named, and what ends the recording.
func beginRecording(file string, log *slog.Logger) (record func(core.Config) core.Config, end func(), err error) {
	if file == "" {
		return nil, func() {}, nil
	}
	v := lessee.Build()
	r, err := recording.Create(file, recording.Options{
		Program: strings.Join(strings.Fields(fmt.Sprintf("lessee %s %s %s/%s %s", v.Version, v.Commit, v.OS, v.Arch, v.Go)), " "),
		Began:   time.Now(),
		Ended: func(why string, err error) {
			attributes := []any{"file", file, "why", why}
			if err != nil {
				attributes = append(attributes, "error", fault.Of(err))
			}
			log.Warn("the recording has ended", attributes...)
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make a recording: %w", err)
	}
	log.Info("recording", "file", file)
	return r.Wrap, r.Close, nil
}
