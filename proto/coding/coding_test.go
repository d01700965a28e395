package coding

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		want   []string
	}{
		{"none", nil, nil},
		{"empty", []string{""}, nil},
		{"one", []string{"gzip"}, []string{"gzip"}},
		{"case and space", []string{" \tGZip "}, []string{"gzip"}},
		{"list", []string{"deflate, gzip"}, []string{"deflate", "gzip"}},
		{"several fields", []string{"br", "gzip,zstd"}, []string{"br", "gzip", "zstd"}},
		{"empty elements", []string{",, gzip ,,"}, []string{"gzip"}},
		{"odd bytes stay", []string{"g\x00zip;q=1"}, []string{"g\x00zip;q=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var values [][]byte
			for _, v := range tt.values {
				values = append(values, []byte(v))
			}
			if diff := cmp.Diff(tt.want, Parse(values...)); diff != "" {
				t.Errorf("codings (-want +got):\n%s", diff)
			}
		})
	}
}
