package har

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

// expected is one flow as the corpus describes it.
type expected struct {
	Request, Response *struct {
		Method, Scheme, Host, Path string
		Port                       uint32
		StatusCode                 uint32 `json:"status_code"`
		Headers                    [][2]string
		ContentHash                *string
		ContentLength              *int
	}
}

// TestCorpus reads files of real programs and compares with what another reader
// made of them. It needs a folder of them, which is not part of the repository.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.FromSlash("../../../shared/corpus/har/*.har"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpus beside the repository")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			flows, skipped, err := all(t, f)
			if err != nil || len(skipped) > 0 {
				t.Fatalf("skipped %v, %v", skipped, err)
			}
			p, err := os.ReadFile(strings.TrimSuffix(file, ".har") + ".json")
			if errors.Is(err, os.ErrNotExist) {
				return
			}
			var want []expected
			if err == nil {
				err = json.Unmarshal(p, &want)
			}
			if err != nil || len(want) != len(flows) {
				t.Fatalf("got %d flows, want %d, %v", len(flows), len(want), err)
			}
			for i := range want {
				compare(t, flows[i], &want[i])
			}
		})
	}
}

// compare leaves out what that reader adds itself: content-length, and the removal of
// content-encoding.
func compare(t *testing.T, w *flowpb.Whole, want *expected) {
	t.Helper()
	q, p := w.Flow.GetHttp().GetRequest(), w.Flow.GetHttp().GetResponse()
	got := []any{string(q.GetMethod()), string(q.GetScheme()), string(q.GetHost()), q.GetPort(), string(q.GetPath()), p.GetStatus()}
	expect := []any{want.Request.Method, want.Request.Scheme, want.Request.Host, want.Request.Port, want.Request.Path, want.Response.StatusCode}
	if diff := cmp.Diff(expect, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, h := range []struct {
		side   flowpb.Side
		fields []*flowpb.Field
		want   [][2]string
		hash   *string
	}{
		{flowpb.SideRequest, q.GetHeaders(), want.Request.Headers, want.Request.ContentHash},
		{flowpb.SideResponse, p.GetHeaders(), want.Response.Headers, want.Response.ContentHash},
	} {
		if diff := cmp.Diff(without(h.want), without(pairs(h.fields))); diff != "" {
			t.Errorf("%v headers (-want +got):\n%s", h.side, diff)
		}
		if h.hash == nil {
			continue
		}
		r, err := w.Body(h.side)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != *h.hash {
			t.Errorf("%v body: got SHA-256 %s, want %s", h.side, got, *h.hash)
		}
	}
}

func pairs(fs []*flowpb.Field) (out [][2]string) {
	for _, f := range fs {
		out = append(out, [2]string{string(f.GetName()), string(f.GetValue())})
	}
	return out
}

func without(list [][2]string) (out [][2]string) {
	for _, h := range list {
		if name := strings.ToLower(h[0]); name != "content-length" && name != "content-encoding" {
			out = append(out, h)
		}
	}
	return out
}
