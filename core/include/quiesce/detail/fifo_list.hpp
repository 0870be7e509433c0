// A list threaded through its nodes.
#pragma once

namespace quiesce::detail {

/// An intrusive first-in first-out list. Not synchronised. A node has a `next` with get and set.
template <class Node>
class fifo_list {
public:
    fifo_list() = default;
    fifo_list(const fifo_list&) = delete;
    fifo_list& operator=(const fifo_list&) = delete;

    bool empty() const { return first_ == nullptr; }
    /// Null when the list is empty.
    Node* front() const { return first_; }
    Node* back() const { return last_; }

    void push_back(Node* node) {
        node->next.set(nullptr);
        if (first_ == nullptr) {
            first_ = node;
        } else {
            last_->next.set(node);
        }
        last_ = node;
    }

    void push_front(Node* node) {
        node->next.set(first_);
        first_ = node;
        if (last_ == nullptr) {
            last_ = node;
        }
    }

    Node* pop_front() {
        Node* const node = first_;
        first_ = node->next.get();
        if (first_ == nullptr) {
            last_ = nullptr;
        }
        return node;
    }

    /// Appends all of `other` and leaves it empty.
    void splice_back(fifo_list& other) {
        if (other.empty()) {
            return;
        }
        if (first_ == nullptr) {
            first_ = other.first_;
        } else {
            last_->next.set(other.first_);
        }
        last_ = other.last_;
        other.first_ = nullptr;
        other.last_ = nullptr;
    }

private:
    Node* first_ = nullptr;
    Node* last_ = nullptr;
};

}  // namespace quiesce::detail
