// Reads dashboards as Grafana's own library has them, and refuses members that its schema does not have, and lacks of those that it wants.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(table.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	status := 0
	for _, name := range os.Args[1:] {
		if err := read(name); err != nil && err.Error() != "" { // the library tells of no fault by an empty one
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			status = 1
		}
	}
	os.Exit(status)
}

func read(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	fields := struct {
		Panels []struct{ FieldConfig json.RawMessage }
	}{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for _, panel := range fields.Panels { // the library is not strict about these where it reads a whole dashboard
		config := dashboard.FieldConfigSource{}
		if err := config.UnmarshalJSONStrict(panel.FieldConfig); err != nil && err.Error() != "" {
			return err
		}
	}
	board := dashboard.Dashboard{}
	if err := board.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err
	}
	return board.Validate()
}
