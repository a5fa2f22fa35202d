// A business server's calls, made with HttpClient; knows nothing of fakerelay.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

public class Client {
    static final String URL = System.getenv("RELAY_URL");
    static final String APPID = System.getenv("RELAY_APPID");
    static final String TOKEN = System.getenv("RELAY_TOKEN");
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static void call(String step, String request, String fields) throws Exception {
        String path = "/app/" + APPID + "/v2/rtmpforward/" + request + "?traceId=java-" + step;
        String body = "{'appid': " + APPID + ", 'roomid': 'room-1', 'streamtype': 1, " + fields + "}";
        HttpRequest post = HttpRequest.newBuilder(URI.create(URL + path))
            .timeout(Duration.ofSeconds(10))
            .header("token", TOKEN)
            .header("Content-Type", "application/json;charset=utf-8")
            .POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
            .build();
        HttpResponse<String> reply = HTTP.send(post, HttpResponse.BodyHandlers.ofString());
        System.out.printf(
            "{\"step\": \"%s\", \"status\": %d, \"reply\": %s}%n", step, reply.statusCode(), reply.body());
    }

    public static void main(String[] arguments) throws Exception {
        String one = "rtmp://cdn.example/live/one";
        String two = "rtmp://cdn.example/live/two";
        String layout = "'mixconfig': {'templateid': 1, 'output': {'width': 640, 'height': 360}}";
        String other = "'mixconfig': {'templateid': 3, 'output': {'width': 1280, 'height': 720}}";

        call("start", "startrtmp", "'taskid': 'show', 'rtmpurl': '" + one + "', " + layout);
        call("update", "startrtmp", "'taskid': 'show', 'rtmpurl': '" + one + "," + two + "', " + other);
        call("conflict", "startrtmp", "'taskid': 'rival', 'rtmpurl': '" + two + "', " + layout);
        call("stop", "stoprtmp", "'taskid': 'show'");
    }
}
