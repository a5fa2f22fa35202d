package publisher

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// World is a vendor of a test's own: another app, other addresses in use, another journal.
type World struct {
	ID, URL, Token string
	Appid          int64
}

// openWorld takes wishes in JSON, such as {"settings": {"concurrent_pushes": 1}}.
func openWorld(t *testing.T, wishes string) World {
	t.Helper()
	var world World
	ask(t, "POST", "worlds", wishes, &world)
	t.Cleanup(func() { ask(t, "DELETE", "worlds/"+world.ID, "", nil) })
	t.Cleanup(func() { // before that one
		if t.Failed() {
			var journal json.RawMessage
			ask(t, "GET", fmt.Sprintf("requests?appid=%d", world.Appid), "", &journal)
			t.Logf("the vendor was asked: %s", journal)
		}
	})
	return world
}

// ask makes one request of the control plane, such as POST faults?world=ID.
func ask(t *testing.T, method, path, body string, answer any) {
	t.Helper()
	url := os.Getenv("FAKERELAY_CONTROL_URL") + "/_fakerelay/v1/" + path
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode >= 300 {
		t.Fatalf("%s %s: %s (%v)", method, path, text, err)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatal(err)
		}
	}
}
