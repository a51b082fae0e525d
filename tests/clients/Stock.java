// The JDK's HttpClient with its defaults: it asks to upgrade to HTTP/2 (h2c) with its first request on a connection,
// body or not. Prints one line for each response: the status, and the body if there is one.
//
// Run it: java Stock.java http://127.0.0.1:PORT/v1/stream/PATH

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

public class Stock {
    static URI stream;

    public static void main(String[] arguments) throws Exception {
        stream = URI.create(arguments[0]);
        // A client of its own for each: every request is the first of its connection.
        send("PUT", BodyPublishers.ofString("[{\"n\":1}]"));
        send("POST", BodyPublishers.ofString("{\"n\":2}"));
        send("POST", BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream("{\"n\":3}".getBytes())));
        send("POST", BodyPublishers.ofString("\"" + "x".repeat(200_000) + "\""));
        send("POST", BodyPublishers.ofString("{\"n\":4}"), "Producer-Id", "java", "Producer-Epoch", "0", "Producer-Seq", "0");
        send("POST", BodyPublishers.ofString("{\"n\":5}"), "Stream-Closed", "true");
        send("GET", BodyPublishers.noBody());
        // One client for several: connections are used again.
        HttpClient client = HttpClient.newHttpClient();
        URI other = URI.create(arguments[0] + "-again");
        print(client, request(other, "PUT", BodyPublishers.ofString("[1]")));
        print(client, request(other, "POST", BodyPublishers.ofString("2")));
        print(client, request(other, "GET", BodyPublishers.noBody()));
        print(client, request(other, "POST", BodyPublishers.ofString("3"), "Stream-Closed", "true"));
        print(client, request(other, "GET", BodyPublishers.noBody(), "Accept", "application/x-ndjson"));
        print(client, request(other, "DELETE", BodyPublishers.noBody()));
    }

    static HttpRequest request(URI uri, String method, BodyPublisher body, String... headers) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(uri)
            .timeout(Duration.ofSeconds(20))
            .header("Content-Type", "application/json")
            .method(method, body);
        return (headers.length == 0 ? builder : builder.headers(headers)).build();
    }

    static void send(String method, BodyPublisher body, String... headers) throws IOException, InterruptedException {
        print(HttpClient.newHttpClient(), request(stream, method, body, headers));
    }

    static void print(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        System.out.println(request.method() + " " + response.statusCode() + " " + response.body().strip());
    }
}
