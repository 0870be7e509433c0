#include <gtest/gtest.h>

#include <mutex>
#include <type_traits>

#include "quiesce/rcu.hpp"

namespace {

using quiesce::rcu_domain;

TEST(ReadSide, ADomainIsNeitherCopiedNorMoved) {
    EXPECT_FALSE(std::is_copy_constructible_v<rcu_domain>);
    EXPECT_FALSE(std::is_move_constructible_v<rcu_domain>);
    EXPECT_FALSE(std::is_copy_assignable_v<rcu_domain>);
}

TEST(ReadSide, ASectionIsOpenFromLockToUnlock) {
    rcu_domain domain;
    EXPECT_FALSE(domain.in_section());
    domain.lock();
    EXPECT_TRUE(domain.in_section());
    domain.unlock();
    EXPECT_FALSE(domain.in_section());
}

TEST(ReadSide, NestedSectionsEndWithTheOutermost) {
    rcu_domain domain;
    domain.lock();
    domain.lock();
    domain.unlock();
    EXPECT_TRUE(domain.in_section());
    domain.unlock();
    EXPECT_FALSE(domain.in_section());
}

TEST(ReadSide, StandardGuardsOpenSections) {
    rcu_domain domain;
    {
        const std::scoped_lock section(domain);
        EXPECT_TRUE(domain.in_section());
    }
    std::unique_lock section(domain, std::try_to_lock);
    EXPECT_TRUE(section.owns_lock());
    EXPECT_TRUE(domain.in_section());
    section.unlock();
    EXPECT_FALSE(domain.in_section());
}

TEST(ReadSide, SectionsOfDifferentDomainsAreIndependent) {
    rcu_domain one;
    rcu_domain other;
    const std::scoped_lock section(one);
    EXPECT_FALSE(other.in_section());
    other.synchronize();  // does not wait for the section of `one`
}

TEST(ReadSide, ADomainThatFollowsADestroyedOneStartsWithoutItsReaders) {
    for (int i = 0; i != 100; ++i) {
        rcu_domain domain;
        const std::scoped_lock section(domain);
        EXPECT_EQ(domain.reader_records(), 1U);
    }
}

TEST(ReadSide, TheDefaultDomainIsAlwaysTheSame) {
    EXPECT_EQ(&quiesce::rcu_default_domain(), &quiesce::rcu_default_domain());
}

}  // namespace
