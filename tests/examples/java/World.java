import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A vendor of a test's own: another app, other addresses in use, another journal. */
final class World implements AutoCloseable {
    private static final String CONTROL =
        System.getenv("FAKERELAY_CONTROL_URL") + "/_fakerelay/v1/";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    final String id, url, token;
    final long appid;

    /** Wishes are JSON, such as {"settings": {"concurrent_pushes": 1}}. */
    World(String wishes) throws Exception {
        String made = ask("POST", "worlds", wishes);
        id = find("id", made);
        url = find("url", made);
        token = find("token", made);
        appid = Long.parseLong(find("appid", made));
    }

    String tasks() throws Exception {
        return ask("GET", "tasks?appid=" + appid, "");
    }

    /** What was asked of the vendor, what it answered, and why. */
    String requests() throws Exception {
        return ask("GET", "requests?appid=" + appid, "");
    }

    @Override
    public void close() throws Exception {
        ask("DELETE", "worlds/" + id, "");
    }

    /** One request of the control plane, such as POST faults?world=ID. */
    static String ask(String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(CONTROL + path))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> reply = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (reply.statusCode() >= 300) {
            throw new IllegalStateException(method + " " + path + ": " + reply.body());
        }
        return reply.body();
    }

    private static String find(String name, String json) {
        Matcher found = Pattern.compile('"' + name + "\": \"?([^\",}]*)").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("No " + name + " in " + json);
        }
        return found.group(1);
    }
}
