import JSON
import Testing

@testable import ChatTemplates

@Test func aTextIsATemplate() throws {
    let chat = Chat(messages: [["role": "user", "content": "hi"]])
    #expect(try ChatTemplate(source: "a{{ messages[0].content }}b").render(chat) == "ahib")
}
