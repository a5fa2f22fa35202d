// Two calls on one connection, the second of which meets a fault; by each of Java's two clients.
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Resend {
    static final String URL = System.getenv("RELAY_URL");
    static final String APPID = System.getenv("RELAY_APPID");
    static final String TOKEN = System.getenv("RELAY_TOKEN");
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static URI target(String uid) {
        return URI.create(URL + "/app/" + APPID + "/v2/rtmpforward/startrtmp?traceId=" + uid);
    }

    static String body(String uid) {
        return ("{'appid': " + APPID + ", 'roomid': 'room', 'streamtype': 2, 'uid': '" + uid
            + "', 'rtmpurl': 'rtmp://cdn.example/" + uid + "'}").replace('\'', '"');
    }

    static void callWithClient(String uid) throws Exception {
        HttpRequest post = HttpRequest.newBuilder(target(uid))
            .header("token", TOKEN)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body(uid)))
            .build();
        HTTP.send(post, BodyHandlers.ofString());
    }

    static void callWithConnection(String uid) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) target(uid).toURL().openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("token", TOKEN);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.getOutputStream().write(body(uid).getBytes());
        connection.getInputStream().readAllBytes();
    }

    public static void main(String[] faults) throws Exception {
        for (String fault : faults) {
            callWithClient("warm");
            try {
                callWithClient("client-" + fault);
            } catch (java.io.IOException expected) {
            }
            callWithConnection("warm");
            try {
                callWithConnection("connection-" + fault);
            } catch (java.io.IOException expected) {
            }
        }
    }
}
