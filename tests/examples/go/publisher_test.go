package publisher

import "testing"

func TestAnAddressHasOneTaskAtATime(t *testing.T) {
	world := openWorld(t, "{}")
	publisher := Publisher{URL: world.URL, Token: world.Token, Appid: world.Appid} // your code
	for _, each := range []struct {
		uid  string
		code int
	}{{"anna", 0}, {"bob", 40901}} {
		code, err := publisher.Start(each.uid, "rtmp://cdn.example.com/live/main")
		if code != each.code || err != nil {
			t.Errorf("%s: code %d, wanted %d (%v)", each.uid, code, each.code, err)
		}
	}
}
