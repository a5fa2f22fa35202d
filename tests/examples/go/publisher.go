// Package publisher stands for the code under test: it knows the vendor by a URL, and nothing of
// fakerelay.
package publisher

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Publisher calls the vendor for one app.
type Publisher struct {
	URL, Token string
	Appid      int64
}

// Start starts a relay of a user's picture and tells the vendor's code.
func (p Publisher) Start(uid, rtmpurl string) (int, error) {
	path := fmt.Sprintf("/app/%d/v2/rtmpforward/startrtmp?traceId=start-%s", p.Appid, uid)
	body := fmt.Sprintf(
		`{"appid": %d, "roomid": "room1", "streamtype": 2, "uid": %q, "rtmpurl": %q}`,
		p.Appid, uid, rtmpurl)
	request, err := http.NewRequest("POST", p.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("token", p.Token)
	request.Header.Set("Content-Type", "application/json;charset=utf-8")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	var told struct{ Code int }
	err = json.NewDecoder(reply.Body).Decode(&told)
	return told.Code, err
}
