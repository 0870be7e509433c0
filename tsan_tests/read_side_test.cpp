#include <gtest/gtest.h>

#include <mutex>
#include <type_traits>

#include "tsan_tests/domain_kinds.hpp"

namespace {

template <class P>
class ReadSide : public testing::Test {};

TYPED_TEST_SUITE(ReadSide, quiesce::tests::domain_kinds, quiesce::tests::domain_kind_name);

TYPED_TEST(ReadSide, ADomainIsNeitherCopiedNorMoved) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    EXPECT_FALSE(std::is_copy_constructible_v<domain_type>);
    EXPECT_FALSE(std::is_move_constructible_v<domain_type>);
    EXPECT_FALSE(std::is_copy_assignable_v<domain_type>);
}

TYPED_TEST(ReadSide, ASectionIsOpenFromLockToUnlock) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    EXPECT_FALSE(domain.in_section());
    domain.lock();
    EXPECT_TRUE(domain.in_section());
    domain.unlock();
    EXPECT_FALSE(domain.in_section());
}

TYPED_TEST(ReadSide, NestedSectionsEndWithTheOutermost) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    domain.lock();
    domain.lock();
    domain.unlock();
    EXPECT_TRUE(domain.in_section());
    domain.unlock();
    EXPECT_FALSE(domain.in_section());
}

TYPED_TEST(ReadSide, StandardGuardsOpenSections) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
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

TYPED_TEST(ReadSide, SectionsOfDifferentDomainsAreIndependent) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type one;
    domain_type other;
    const std::scoped_lock section(one);
    EXPECT_FALSE(other.in_section());
    other.synchronize();  // does not wait for the section of `one`
}

TYPED_TEST(ReadSide, ADomainThatFollowsADestroyedOneStartsWithoutItsReaders) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    for (int i = 0; i != 100; ++i) {
        domain_type domain;
        const std::scoped_lock section(domain);
        EXPECT_EQ(domain.reader_records(), 1U);
    }
}

TEST(DefaultDomain, IsAlwaysTheSame) {
    EXPECT_EQ(&quiesce::rcu_default_domain(), &quiesce::rcu_default_domain());
}

}  // namespace
