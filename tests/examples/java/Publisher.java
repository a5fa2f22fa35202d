import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Stands for the code under test: it knows the vendor by a URL, and nothing of fakerelay. */
final class Publisher {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final String url, token;
    private final long appid;

    Publisher(String url, long appid, String token) {
        this.url = url;
        this.appid = appid;
        this.token = token;
    }

    /** Starts a relay of a user's picture; whether the vendor took it. */
    boolean start(String uid, String rtmpurl) throws Exception {
        String path = "/app/" + appid + "/v2/rtmpforward/startrtmp?traceId=start-" + uid;
        String body = String.format(
            "{\"appid\": %d, \"roomid\": \"room1\", \"streamtype\": 2, \"uid\": \"%s\", \"rtmpurl\": \"%s\"}",
            appid, uid, rtmpurl);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
            .header("token", token)
            .header("Content-Type", "application/json;charset=utf-8")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> reply = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        return reply.body().contains("\"code\": 0,");
    }
}
