import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PublisherTest {
    static final String ADDRESS = "rtmp://cdn.example.com/live/main";

    World world;
    Publisher publisher; // your code

    @BeforeEach
    void open() throws Exception {
        world = new World("{}");
        publisher = new Publisher(world.url, world.appid, world.token);
    }

    @AfterEach
    void close() throws Exception {
        world.close();
    }

    @Test
    void aRelayIsStarted() throws Exception {
        assertTrue(publisher.start("anna", ADDRESS));
        assertTrue(world.tasks().contains("\"uid\": \"anna\""));
    }

    @Test
    void anAddressHasOneTaskAtATime() throws Exception {
        assertTrue(publisher.start("anna", ADDRESS));
        assertFalse(publisher.start("bob", ADDRESS));
    }

    @Test
    void aReplyThatIsLostLeavesTheRelayRunning() throws Exception {
        String plan = "{\"steps\": [{\"fault\": \"drop_after_commit\"}]}"; // for one call
        World.ask("POST", "faults?world=" + world.id, plan);
        assertThrows(IOException.class, () -> publisher.start("anna", ADDRESS));
        assertTrue(world.tasks().contains("\"uid\": \"anna\""));
    }
}
